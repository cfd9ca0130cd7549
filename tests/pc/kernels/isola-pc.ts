// SPDX-License-Identifier: Apache-2.0
import { MemoryDisk, PcMachine } from "../pc-machine.js";
import type { KernelRun, Pixels } from "./kernel-run.js";

const SECONDS = 120;

function withoutAlpha(width: number, height: number, pixels: Uint8Array): Pixels {
  return {
    width,
    height,
    rgb: Uint8Array.from({ length: 3 * width * height }, (_, i) => pixels[Math.floor(i / 3) * 4 + (i % 3)] ?? 0),
  };
}

/** Runs a kernel on the project's own PC. `floppy` is written to. */
export async function runOnIsola(firmware: Uint8Array, floppy: Uint8Array | null): Promise<KernelRun> {
  const pc = new PcMachine(
    { firmware, videoRom: null, ...(floppy === null ? {} : { floppy: new MemoryDisk(floppy) }) },
    // Kernels wait for seconds of the real-time clock, which take too many instructions to be counted.
    { devices: ["isa-debug-exit"], memory: 16 << 20, clock: "wall" },
  );
  const pictures = new Map<string, Pixels>();
  for (;;) {
    const status = await pc.runToPicture(SECONDS);
    if (typeof status === "number") return { serial: pc.serial, pictures, passed: status === 0x10 };
    const picture = pc.machine.screen();
    if (picture !== null) pictures.set(status, withoutAlpha(picture.width, picture.height, picture.pixels));
    pc.machine.serialInput(0, Uint8Array.of(0x78));
  }
}
