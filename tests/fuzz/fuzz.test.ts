// SPDX-License-Identifier: Apache-2.0
// Random bytes as guest code, in every mode and privilege: whatever they do to the guest, the host must not throw and
// must get control back. The programs run in a process of their own, because a loop in it could not be interrupted.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryRoot } from "../oracle/native-harness.js";

const PROGRAMS = 500;
const TIMEOUT_MS = 90_000;
const FIRST_SEED = process.env["FUZZ_SEED"] ?? "1";

const root = repositoryRoot();
const missing = existsSync(join(root, "build/interpreter.wasm")) ? null : "the engine is not built";
if (missing !== null) process.stderr.write(`SKIPPED random code: ${missing}\n`);

describe.skipIf(missing !== null)("guests that never get anywhere", () => {
  it("give control back when their budget is used up", () => {
    const result = spawnSync(process.execPath, [join(root, "tests/fuzz/main.mjs"), "endless"], {
      encoding: "utf8",
      timeout: 25_000,
      killSignal: "SIGKILL",
    });
    const lines = result.stdout.trim().split("\n");
    expect(result.error, `the host did not get control back: ${lines.at(-1)}`).toBeUndefined();
    const ends = lines.filter((line) => !line.startsWith("at "));
    expect(ends.length).toBeGreaterThan(5);
    for (const end of ends) expect(end).toMatch(/: budget$/);
  });
});

describe.skipIf(missing !== null)("random code", () => {
  for (const mode of ["real", "protected", "long", "user"]) {
    it(
      `leaves the host alone in ${mode} mode`,
      () => {
        const args = ["fuzz", "--mode", mode, "--seed", FIRST_SEED, "--count", String(PROGRAMS), "--verbose"];
        const result = spawnSync(process.execPath, [join(root, "tests/fuzz/main.mjs"), ...args], {
          encoding: "utf8",
          timeout: TIMEOUT_MS,
          killSignal: "SIGKILL",
        });
        const lines = result.stdout.trim().split("\n");
        const last = lines.at(-1) ?? "";
        expect(result.error, `the host did not get control back: ${last}`).toBeUndefined();
        expect(lines.filter((line) => line.includes("throw"))).toEqual([]);
        expect(last).toMatch(new RegExp(`^${mode}: `));
        expect(result.status, result.stderr).toBe(0);
      },
      TIMEOUT_MS + 10_000,
    );
  }
});
