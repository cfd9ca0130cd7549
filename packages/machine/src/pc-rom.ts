// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { ExtraMemory, LowBacking, PhysicalMap } from "@isola/isa-x86";
import { FOUR_GIB, LOW_ROM_END, LOW_ROM_START, MAX_ROM } from "./pc-layout.js";

const ROM_SIZES = [64 << 10, 128 << 10, 256 << 10];

/** The firmware of a `pc`: at the top of 4 GiB, and its end at the top of the first megabyte until RAM shadows it. */
export class PcRom {
  private readonly memory: ExtraMemory;
  /** First address of the low copy. */
  private readonly lowStart: number;

  constructor(
    private readonly physical: PhysicalMap,
    image: Uint8Array,
  ) {
    if (!ROM_SIZES.includes(image.length))
      throw new OperatorError(
        "bad-firmware",
        `firmware of ${image.length} bytes is not a BIOS: it has 64, 128 or 256 KiB`,
      );
    this.memory = physical.takeExtra(MAX_ROM);
    const at = MAX_ROM - image.length;
    this.memory.bytes.set(image, at);
    this.lowStart = Math.max(LOW_ROM_START, LOW_ROM_END - image.length);
    // Below a smaller ROM the window shows zeros, in address space that nothing else uses.
    physical.addWindow(this.memory, false).place(FOUR_GIB - MAX_ROM);
  }

  /** Backs an area above 0xC0000 by RAM, or by what is on the bus, for reads and for writes. */
  shadow(start: number, length: number, read: boolean, write: boolean): void {
    this.physical.backLow(start, length, read ? "ram" : this.onBus(start), write ? "ram" : "device");
  }

  private onBus(start: number): LowBacking {
    if (start < this.lowStart) return "device";
    return { offset: this.memory.offset + MAX_ROM - (LOW_ROM_END - start) };
  }
}
