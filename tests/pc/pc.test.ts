// SPDX-License-Identifier: Apache-2.0
// A pc with firmware of our own, which needs no download: tests/boot has the real ones.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { assemblerObstacle } from "../guests/assemble.js";
import { repositoryRoot } from "../oracle/native-harness.js";
import { MemoryDisk, PcMachine } from "./pc-machine.js";
import { exitWith, tinyRom } from "./tiny-rom.js";

const built = existsSync(join(repositoryRoot(), "build/interpreter.wasm")) ? null : "the engine is not built";
const obstacle = assemblerObstacle() ?? built;
if (obstacle !== null) process.stderr.write(`SKIPPED the pc with its own firmware: ${obstacle}\n`);

function firmware(): Uint8Array {
  const source = join(repositoryRoot(), "tests/pc");
  const out = join(repositoryRoot(), "build/guests");
  mkdirSync(out, { recursive: true });
  const object = join(out, "firmware.o");
  const image = join(out, "firmware.bin");
  for (const [tool, ...args] of [
    ["cc", "-c", "-m32", "-o", object, "firmware.S"],
    ["ld", "-m", "elf_i386", "-Ttext", "0", "--oformat", "binary", "-o", image, object],
  ] as const) {
    const result = spawnSync(tool, args, { cwd: source, encoding: "utf8" });
    if (result.status !== 0) throw new Error(`${tool} failed:\n${result.stderr}`);
  }
  return new Uint8Array(readFileSync(image));
}

describe.skipIf(obstacle !== null)("a pc", () => {
  it.each([false, true])(
    "switches its memory, masks A20, resets on a triple fault, reads a disk (later: %s)",
    async (later) => {
      const disk = new Uint8Array(64 << 10);
      disk.set(Buffer.from("from the disk"));
      const pc = new PcMachine(
        { firmware: firmware(), videoRom: null, disks: [new MemoryDisk(disk, true, later)] },
        { devices: ["isa-debug-exit"], memory: 4 << 20 },
      );
      expect(await pc.runToExit(1)).toBe(0x10);
      expect(pc.serial).toBe("TRSAfrom the disk");
    },
  );

  it("has firmware and video memory beside the most RAM that there can be", async () => {
    const rom = tinyRom(exitWith(7));
    const pc = new PcMachine({ firmware: rom, videoRom: null }, { devices: ["isa-debug-exit"], memory: 0xe000_0000 });
    expect(await pc.runToExit(1)).toBe(7);
  });

  it("refuses firmware that is none, a floppy that is too large, and drives in a microvm", () => {
    expect(() => new PcMachine({ firmware: new Uint8Array(1000), videoRom: null })).toThrow(/whole blocks of 4 KiB/);
    const floppy = new MemoryDisk(new Uint8Array(4 << 20));
    expect(() => new PcMachine({ firmware: firmware(), videoRom: null, floppy })).toThrow(/too large/);
    expect(() => new PcMachine({ firmware: firmware(), videoRom: null }, { preset: "microvm" })).toThrow(/no firmware/);
  });
});
