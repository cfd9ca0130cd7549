// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";

/** How a guest program ended. */
export interface GuestRun {
  /** What the program wrote to port 0xf4: 0x10 passed, 0x11 checks failed, 0x12 unexpected exception; null without. */
  readonly code: number | null;
  /** True when the machine stopped by a reset or a shutdown. */
  readonly shutDown: boolean;
  /** Text from the first serial port. */
  readonly serial: string;
}

/** Something that boots a Multiboot file with a serial port at 0x3f8 and an exit port at 0xf4. */
export interface GuestMachine {
  readonly name: string;
  run(elf: string): GuestRun;
}

const QEMU = "qemu-system-x86_64";
const TIMEOUT_MS = 30_000;

/** QEMU without hardware acceleration, or null where it is not installed. */
export function qemuMachine(): GuestMachine | null {
  if (spawnSync(QEMU, ["--version"]).status !== 0) return null;
  const args = [
    "-accel",
    "tcg",
    "-cpu",
    "max,vendor=GenuineIntel",
    "-m",
    "64",
    "-device",
    "isa-debug-exit,iobase=0xf4,iosize=4",
    "-display",
    "none",
    "-serial",
    "stdio",
    "-monitor",
    "none",
    "-no-reboot",
    "-kernel",
  ];
  return {
    name: "QEMU TCG",
    run(elf) {
      const result = spawnSync(QEMU, [...args, elf], { encoding: "utf8", timeout: TIMEOUT_MS, input: "" });
      const status = result.status ?? -1;
      // isa-debug-exit leaves with (value << 1) | 1; a reset ends QEMU with 0.
      return { code: status > 0 && status & 1 ? status >> 1 : null, shutDown: status === 0, serial: result.stdout };
    },
  };
}
