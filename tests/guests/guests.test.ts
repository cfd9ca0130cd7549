// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { assemble, assemblerObstacle, guestPrograms } from "./assemble.js";
import { qemuMachine, type GuestMachine } from "./guest-machine.js";

const PASSED = 0x10;
const TIMEOUT_MS = 60_000;

/** A program passes when it says so, or, if it is about that, when the machine shuts down. */
function expectPass(machine: GuestMachine, program: string): void {
  const run = machine.run(assemble(program));
  if (program === "triple-fault") {
    expect(run.serial).toContain("SHUTDOWN triple-fault");
    expect(run.shutDown).toBe(true);
    return;
  }
  expect(run.serial).toContain(`PASS ${program} `);
  expect(run.code).toBe(PASSED);
}

const obstacle = assemblerObstacle();
const qemu = qemuMachine();
const missing = obstacle ?? (qemu === null ? "QEMU is not installed" : null);
if (missing !== null) process.stderr.write(`SKIPPED guest programs on QEMU: ${missing}\n`);

describe.skipIf(missing !== null)("guest programs on QEMU", () => {
  for (const program of guestPrograms()) {
    it(program, () => expectPass(qemu as GuestMachine, program), TIMEOUT_MS);
  }
});
