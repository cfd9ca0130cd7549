// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { testTranslation } from "../../packages/isa-x86/src/compiler/policy.fixture.js";
import { repositoryRoot } from "../oracle/native-harness.js";
import { assemble, assemblerObstacle, guestPrograms } from "./assemble.js";
import { qemuMachine, type GuestMachine } from "./guest-machine.js";
import { isolaMachine } from "./isola-machine.js";

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

const toolchain = assemblerObstacle();
const qemu = qemuMachine();
const engineBuilt = existsSync(join(repositoryRoot(), "build/interpreter.wasm"));
const machines: readonly {
  readonly name: string;
  readonly make: () => GuestMachine | null;
  readonly missing: string | null;
}[] = [
  { name: "Isola", make: isolaMachine, missing: engineBuilt ? null : "the engine is not built" },
  { name: "QEMU", make: () => qemu, missing: qemu === null ? "QEMU is not installed" : null },
];

// What QEMU makes of the programs does not depend on how Isola executes them.
const tested = testTranslation() === "at-once" ? machines.slice(0, 1) : machines;
for (const { name, make, missing } of tested) {
  const reason = toolchain ?? missing;
  if (reason !== null) process.stderr.write(`SKIPPED guest programs on ${name}: ${reason}\n`);
  describe.skipIf(reason !== null)(`guest programs on ${name}`, () => {
    const machine = reason === null ? make() : null;
    for (const program of guestPrograms()) {
      it(
        program,
        () => {
          if (machine !== null) expectPass(machine, program);
        },
        TIMEOUT_MS,
      );
    }
  });
}
