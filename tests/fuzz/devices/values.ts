// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";

/** Pages of RAM that pointers lead to, so that structures point at each other. */
const PAGES = 0x10_0000;
const PAGE_COUNT = 16;
const PAGE = 4096;
const APIC = 0xfee0_0000;
const IOAPIC = 0xfec0_0000;

/** Values that mean something to devices: small numbers, pointers to RAM, to registers and to nowhere. */
export class Values {
  /** Addresses of the device's own registers, for DMA to where no memory is. */
  registers: readonly number[] = [];

  /** @param next random 32-bit numbers */
  constructor(readonly next: () => number) {}

  below(limit: number): number {
    return this.next() % limit;
  }

  chance(oneIn: number): boolean {
    return this.next() % oneIn === 0;
  }

  pick<T>(all: readonly T[]): T {
    const one = all[this.below(all.length)];
    if (one === undefined) throw new Error("nothing to choose from");
    return one;
  }

  /** A page of those that are filled by {@link scribble}. */
  page(): number {
    return PAGES + this.below(PAGE_COUNT) * PAGE;
  }

  address(ramSize: number): number {
    switch (this.below(8)) {
      case 0:
        return ramSize - this.below(3) * 8;
      case 1:
        return this.pick([APIC, IOAPIC, 0, 0xffff_fff0, 0x000a_0000, 0xffff_0000]);
      case 2:
        return this.registers.length > 0 ? this.pick(this.registers) : this.next();
      case 3:
        return this.page() + this.below(PAGE);
      default:
        return this.page();
    }
  }

  value(ramSize: number): number {
    switch (this.below(8)) {
      case 0:
        return this.next();
      case 1:
        return this.pick([0xffff_ffff, 0x8000_0000, 0x7fff_ffff, 0xffff, 0x1_0000]);
      case 2:
        return (1 << this.below(32)) >>> 0;
      case 3:
      case 4:
        return this.address(ramSize);
      default:
        return this.below(this.chance(2) ? 16 : 256);
    }
  }

  /** Changes what is in the pages that pointers lead to. */
  scribble(ram: GuestRam): void {
    const page = this.page();
    const count = 1 + this.below(64);
    for (let i = 0; i < count; i++) {
      const at = page + this.below(this.chance(2) ? 64 : PAGE / 4) * 4;
      ram.setU32(at, this.value(ram.size));
      if (this.chance(2)) ram.setU32(at + 4, this.chance(8) ? this.next() : 0);
    }
  }
}
