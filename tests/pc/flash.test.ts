// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryRoot } from "../oracle/native-harness.js";
import { MemoryDisk, PcMachine } from "./pc-machine.js";
import { exitWith, PUT_AL, tinyRom } from "./tiny-rom.js";

const built = existsSync(join(repositoryRoot(), "build/interpreter.wasm"));
if (!built) process.stderr.write("SKIPPED the flash of a pc: the engine is not built\n");

const STATUS = 0x2a;

/** Programs 0x5A into the last byte of the lower chip, then reads it, the byte's status first, from protected mode. */
const FLASH: readonly number[] = [
  0xfa, // cli
  ...[0x2e, 0x66, 0x0f, 0x01, 0x16, 0x40, 0x00], // lgdt cs:[0x40]
  ...[0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0], // cr0.PE = 1
  ...[0xb8, 0x08, 0x00, 0x8e, 0xd8], // ds = flat data
  ...[0x66, 0xbb, 0xff, 0xff, 0xfe, 0xff], // ebx = the byte below the firmware
  ...[0x67, 0x8a, 0x03, ...PUT_AL], // what it is
  ...[0x67, 0xc6, 0x03, 0x40, 0x67, 0xc6, 0x03, 0x5a], // program
  ...[0x67, 0x8a, 0x03, ...PUT_AL], // status
  ...[0x67, 0xc6, 0x03, 0xff, 0x67, 0x8a, 0x03, ...PUT_AL], // read array, and the byte
  ...exitWith(STATUS),
];

describe.skipIf(!built)("flash of a pc", () => {
  it("is programmed in place, and its store follows at the latest when the machine is closed", async () => {
    // jmp 0x100, where the code is; a pointer to a GDT at 0xf0050, and its flat data segment.
    const rom = tinyRom([]);
    rom.set([0xe9, 0xfd, 0x00], 0);
    rom.set(FLASH, 0x100);
    rom.set([0x0f, 0, 0x50, 0, 0x0f, 0], 0x40);
    rom.set([0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0], 0x58);
    const nvram = new MemoryDisk(new Uint8Array(8192).fill(0xff), false, true);
    const pc = new PcMachine(
      { firmware: rom, videoRom: null, nvram },
      { devices: ["isa-debug-exit"], memory: 4 << 20 },
    );
    expect(await pc.runToExit(1)).toBe(STATUS);
    expect(Buffer.from(pc.serial, "latin1")).toEqual(Buffer.from([0xff, 0x80, 0x5a]));
    await pc.machine.close();
    expect([nvram.bytes[8190], nvram.bytes[8191]]).toEqual([0xff, 0x5a]);
  });
});
