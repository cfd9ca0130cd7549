// SPDX-License-Identifier: Apache-2.0
import { CfiFlash } from "@isola/devices";
import type { ExtraMemory, PhysicalMap } from "@isola/isa-x86";
import type { Bus } from "@isola/memory";

export interface PcFlashOptions {
  /** What the chip holds when the machine is built. */
  readonly image: Uint8Array;
  readonly start: number;
  readonly readOnly: boolean;
  /** The guest has changed a part of it. */
  readonly changed?: (offset: number, length: number) => void;
}

/** A flash chip in the address space of a `pc`: its array is memory to the processor until the guest gives it a command. */
export class PcFlash {
  readonly chip: CfiFlash;
  readonly memory: ExtraMemory;

  constructor(physical: PhysicalMap, mmio: Bus, { image, start, readOnly, changed }: PcFlashOptions) {
    const memory = physical.takeExtra(image.length);
    memory.bytes.set(image);
    const window = physical.addWindow(memory, false);
    window.place(start);
    this.memory = memory;
    this.chip = new CfiFlash({
      array: memory.bytes,
      readOnly,
      arrayShown: (shown) => window.place(shown ? start : null),
      changed: (offset, length) => {
        physical.writtenBeside(memory, offset, length);
        changed?.(offset, length);
      },
    });
    // Writes never go through the window, and reads come here while it is away.
    mmio.map(start, image.length, this.chip.handler, "cfi-flash");
  }
}
