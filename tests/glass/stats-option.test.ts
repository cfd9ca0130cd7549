// SPDX-License-Identifier: Apache-2.0
import type { MachineStatistics } from "@isola/vmm";
import { describe, expect, it } from "vitest";
import { assembleFlat, flatGuestObstacle } from "./flat-guest.js";
import { flatGuestOptions, isolaCommand } from "./isola-command.js";

const obstacle = flatGuestObstacle();
if (obstacle !== null) process.stderr.write(`SKIPPED isola run --stats: ${obstacle}\n`);

describe.skipIf(obstacle !== null)("isola run --stats", () => {
  it("prints a table when the guest has ended, and nothing on standard output", async () => {
    const run = await isolaCommand(["run", ...flatGuestOptions(assembleFlat("activity")), "--stats"]);
    expect(run.status).toBe(1);
    expect(run.output).toBe("hi\n");
    expect(run.errors).toMatch(/^ {2}exceptions +3 {2}#PF 2, #UD 1$/m);
    expect(run.errors).toMatch(/^ {2}portReads +5 {2}rtc 5$/m);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("prints JSON after %s", async (signal, status) => {
    const run = await isolaCommand(["run", ...flatGuestOptions(assembleFlat("spin")), "--stats=json"], signal);
    expect(run.status).toBe(status);
    const statistics = JSON.parse(run.errors) as MachineStatistics;
    expect(statistics.version).toBe(1);
    expect(statistics.serial).toEqual([{ bytesOut: 1, bytesIn: 0 }]);
  });

  it("refuses other formats", async () => {
    const run = await isolaCommand(["run", ...flatGuestOptions(assembleFlat("spin")), "--stats=jsn"]);
    expect(run).toEqual({ status: 2, output: "", errors: 'isola: --stats: there is no "jsn"; did you mean "json"?\n' });
  });
});
