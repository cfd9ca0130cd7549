// SPDX-License-Identifier: Apache-2.0
// Every way of resetting a machine, again and again, by a program that counts in CMOS RAM how often it has begun.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryRoot } from "../oracle/native-harness.js";
import { PcMachine } from "./pc-machine.js";
import { exitWith, PUT_AL, tinyRom } from "./tiny-rom.js";

const built = existsSync(join(repositoryRoot(), "build/interpreter.wasm"));
if (!built) process.stderr.write("SKIPPED resets of machines: the engine is not built\n");

const ROUNDS = 3;
const STATUS = 0x2a;
const COUNT = 0x40;

/** Each is followed by a jump to itself. */
const METHODS: { readonly [name: string]: readonly number[] } = {
  // mov dx, 0xcf9; mov al, 2; out dx, al; mov al, 6; out dx, al
  "chip set's reset register": [0xba, 0xf9, 0x0c, 0xb0, 2, 0xee, 0xb0, 6, 0xee],
  "ACPI's reset register": [0xba, 0xf9, 0x0c, 0xb0, 6, 0xee],
  // mov al, 0xfe; out 0x64, al
  "keyboard controller": [0xb0, 0xfe, 0xe6, 0x64],
  // in al, 0x92; or al, 1; out 0x92, al
  "system port A": [0xe4, 0x92, 0x0c, 1, 0xe6, 0x92],
  // lidt of six zeros; int3
  "triple fault": [0x2e, 0x0f, 0x01, 0x1e, 0x00, 0xf0, 0xcc],
};

/** Writes "A", "B" ... and resets by one method after the other, `ROUNDS` times, then ends the machine. */
function program(methods: readonly (readonly number[])[]): number[] {
  const begin = [
    0xfa, // cli
    ...[0xb0, COUNT, 0xe6, 0x70, 0xe4, 0x71, 0x88, 0xc3], // bl = CMOS count
    ...[0xfe, 0xc0, 0x88, 0xc4, 0xb0, COUNT, 0xe6, 0x70, 0x88, 0xe0, 0xe6, 0x71], // count + 1
    ...[0x88, 0xd8, 0x04, 0x41, ...PUT_AL], // al = bl + "A"
    ...[0x80, 0xfb, methods.length * ROUNDS, 0x72, exitWith(STATUS).length, ...exitWith(STATUS)],
    ...[0x88, 0xd8, 0x30, 0xe4, 0xb1, methods.length, 0xf6, 0xf1], // ah = bl mod methods
  ];
  const cases = methods.flatMap((method, i) => [0x80, 0xfc, i, 0x75, method.length + 2, ...method, 0xeb, 0xfe]);
  return [...begin, ...cases];
}

const letters = (count: number): string =>
  Array.from({ length: count }, (_, i) => String.fromCharCode(65 + i)).join("");

describe.skipIf(!built)("resets", () => {
  it(`of a pc: ${Object.keys(METHODS).join(", ")}`, async () => {
    const methods = Object.values(METHODS);
    const rom = tinyRom(program(methods));
    const pc = new PcMachine({ firmware: rom, videoRom: null }, { devices: ["isa-debug-exit"], memory: 4 << 20 });
    expect(await pc.runToExit(1)).toBe(STATUS);
    expect(pc.serial).toBe(letters(methods.length * ROUNDS + 1));
  });

  it("of a microvm, which ends by a triple fault and resets by all others", async () => {
    const { "triple fault": _, ...others } = METHODS;
    const methods = Object.values(others);
    const vm = new PcMachine(
      { firmware: Uint8Array.from(program(methods)), videoRom: null },
      {
        preset: "microvm",
        ide: [],
        boot: { kind: "flat", file: "bios", address: 0x7c00, mode: "real" },
        devices: ["isa-debug-exit"],
        memory: 4 << 20,
      },
    );
    expect(await vm.runToExit(1)).toBe(STATUS);
    expect(vm.serial).toBe(letters(methods.length * ROUNDS + 1));
  });
});
