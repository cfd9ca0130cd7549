// SPDX-License-Identifier: Apache-2.0
import type { GuestMemory } from "@isola/ports";
import type { X86Cpu } from "../cpu/x86-cpu.js";

const CR0_PG = 1n << 31n;
const CR4_PSE = 1n << 4n;
const CR4_PAE = 1n << 5n;
const EFER_LMA = 1n << 10n;
const PRESENT = 1n;
const LARGE = 0x80n;
/** Physical-address bits of an entry: MAXPHYADDR is 40. */
const ADDRESS = 0xff_ffff_f000n;
const PAGE_BITS = 12;
const OFFSET = 0xfffn;

/**
 * Guest memory through a vCPU's page tables, without the effects of an access: rights are not checked, accessed and dirty
 * bits not set, devices not read. The walk follows SDM 3A chapter 4, like assembly/paging.ts.
 */
export class LinearMemory implements GuestMemory {
  /** Translations of this look, by linear page; guests have not run meanwhile. */
  private readonly pages = new Map<bigint, number>();

  constructor(private readonly cpu: X86Cpu) {}

  /** Forgets translations: the guest has run. */
  refresh(): void {
    this.pages.clear();
  }

  translate(linear: bigint): number {
    const page = linear >> 12n;
    let base = this.pages.get(page);
    if (base === undefined) {
      base = this.walk(linear & ~OFFSET);
      this.pages.set(page, base);
    }
    return base < 0 ? -1 : base + Number(linear & OFFSET);
  }

  physical(address: number, length: number): Uint8Array | null {
    return this.cpu.engine.ram.peek(address, length);
  }

  /** Physical address of the page at `linear`, or -1. */
  private walk(linear: bigint): number {
    const { state } = this.cpu;
    if ((state.get64("cr0") & CR0_PG) === 0n) return Number(linear & 0xffff_ffffn);
    const cr4 = state.get64("cr4");
    const cr3 = state.get64("cr3");
    if ((cr4 & CR4_PAE) === 0n) return this.walk32(linear, cr3, (cr4 & CR4_PSE) !== 0n);
    if ((state.get64("efer") & EFER_LMA) === 0n) {
      const pointer = state.get64("pdpte", Number((linear >> 30n) & 3n));
      return (pointer & PRESENT) === 0n ? -1 : this.descend(linear, pointer & ADDRESS, 21);
    }
    return this.descend(linear, cr3 & ADDRESS, 39);
  }

  /** Tables of 512 entries, from the one whose index starts at bit `shift` of the address. */
  private descend(linear: bigint, top: bigint, shift: number): number {
    let table = top;
    for (let at = shift; ; at -= 9) {
      const entry = this.cpu.engine.ram.u64(Number(table) + Number((linear >> BigInt(at)) & 0x1ffn) * 8);
      if ((entry & PRESENT) === 0n) return -1;
      const last = at === PAGE_BITS || ((entry & LARGE) !== 0n && at <= 30);
      table = entry & ADDRESS;
      if (!last) continue;
      const inside = (1n << BigInt(at)) - 1n;
      return Number((table & ~inside) | (linear & inside));
    }
  }

  private walk32(linear: bigint, cr3: bigint, large: boolean): number {
    const { ram } = this.cpu.engine;
    const address = Number(linear & 0xffff_ffffn);
    const directory = ram.u32(Number(cr3 & 0xffff_f000n) + (address >>> 22) * 4);
    if ((directory & 1) === 0) return -1;
    if (large && (directory & 0x80) !== 0)
      return ((directory >>> 13) & 0xff) * 2 ** 32 + ((directory & 0xffc0_0000) >>> 0) + (address & 0x3f_f000);
    const entry = ram.u32(((directory & 0xffff_f000) >>> 0) + ((address >>> 12) & 0x3ff) * 4);
    return (entry & 1) === 0 ? -1 : (entry & 0xffff_f000) >>> 0;
  }
}
