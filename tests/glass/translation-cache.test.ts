// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MachineStatistics } from "@isola/vmm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assembleFlat, flatGuestObstacle } from "./flat-guest.js";
import { flatGuestOptions, isolaCommand } from "./isola-command.js";

const obstacle = flatGuestObstacle();
if (obstacle !== null) process.stderr.write(`SKIPPED isola run --translation-cache: ${obstacle}\n`);

describe.skipIf(obstacle !== null)("isola run --translation-cache", () => {
  let directory: string;
  let cache: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "isola-cache-"));
    cache = join(directory, "hot.code");
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  /** Regions compiled anew, and reused. */
  async function run(file: string): Promise<{ compiled: number; reused: number }> {
    const options = ["--stats=json", "--translation-cache", file];
    const { status, output, errors } = await isolaCommand([
      "run",
      ...flatGuestOptions(assembleFlat("hot")),
      ...options,
    ]);
    expect({ status, output }).toEqual({ status: 1, output: "" });
    const { regions, regionsReused } = (JSON.parse(errors) as MachineStatistics).compiler;
    return { compiled: regions - regionsReused, reused: regionsReused };
  }

  it("compiles in the first run, and not again in the second", async () => {
    const first = await run(cache);
    expect(first.compiled).toBeGreaterThan(0);
    expect(first.reused).toBe(0);
    expect(await run(cache)).toEqual({ compiled: 0, reused: first.compiled });
  });

  it("does without a file that is damaged, and replaces it", async () => {
    const bytes = readFileSync(cache);
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(cache, bytes);
    expect((await run(cache)).reused).toBe(0);
    expect((await run(cache)).compiled).toBe(0);
  });

  it("does without a file that cannot be written, and with none at all", async () => {
    expect((await run(join(cache, "below-a-file"))).reused).toBe(0);
    expect((await run("off")).reused).toBe(0);
  });
});
