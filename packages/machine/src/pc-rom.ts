// SPDX-License-Identifier: Apache-2.0
import type { ExtraMemory, LowBacking, PhysicalMap } from "@isola/isa-x86";
import { LOW_ROM_END, LOW_ROM_START } from "./pc-layout.js";

/** The end of a `pc`'s firmware at the top of the first megabyte, until RAM shadows it. */
export class PcRom {
  /** First address of the low copy. */
  private readonly lowStart: number;

  /** @param memory the firmware as it is at the top of 4 GiB */
  constructor(
    private readonly physical: PhysicalMap,
    private readonly memory: ExtraMemory,
  ) {
    this.lowStart = Math.max(LOW_ROM_START, LOW_ROM_END - memory.bytes.length);
  }

  /** Backs an area above 0xC0000 by RAM, or by what is on the bus, for reads and for writes. */
  shadow(start: number, length: number, read: boolean, write: boolean): void {
    this.physical.backLow(start, length, read ? "ram" : this.onBus(start), write ? "ram" : "device");
  }

  private onBus(start: number): LowBacking {
    if (start < this.lowStart) return "device";
    return { offset: this.memory.offset + this.memory.bytes.length - (LOW_ROM_END - start) };
  }
}
