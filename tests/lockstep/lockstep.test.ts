// SPDX-License-Identifier: Apache-2.0
// Random programs, interpreted and compiled: whatever is compiled, a guest must not be able to tell. They run in a process
// of their own, because a loop in it could not be interrupted.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryRoot } from "../oracle/native-harness.js";

const SECONDS = 20;
const TIMEOUT_MS = 120_000;
const FIRST_SEED = process.env["LOCKSTEP_SEED"] ?? "1";

const root = repositoryRoot();
const missing = existsSync(join(root, "build/interpreter.wasm")) ? null : "the engine is not built";
if (missing !== null) process.stderr.write(`SKIPPED lockstep: ${missing}\n`);

describe.skipIf(missing !== null)("random programs", () => {
  it(
    "do the same whether they are interpreted or compiled",
    () => {
      const args = ["--seconds", String(SECONDS), "--seed", FIRST_SEED, "--verbose"];
      const result = spawnSync(process.execPath, [join(root, "tests/lockstep/main.mjs"), ...args], {
        encoding: "utf8",
        timeout: TIMEOUT_MS,
        killSignal: "SIGKILL",
      });
      const lines = result.stdout.split("\n").filter((line) => !line.startsWith("at seed"));
      expect(result.error, `the host did not get control back: ${result.stdout.slice(-100)}`).toBeUndefined();
      expect(result.status, `${lines.join("\n")}\n${result.stderr}`).toBe(0);
      expect(lines[0]).toMatch(/^[1-9]\d* programs without a difference$/);
    },
    TIMEOUT_MS + 10_000,
  );
});
