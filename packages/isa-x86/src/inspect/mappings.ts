// SPDX-License-Identifier: Apache-2.0
import type { X86Cpu } from "../cpu/x86-cpu.js";

const CR0_PG = 1n << 31n;
const CR4_PSE = 1n << 4n;
const CR4_PAE = 1n << 5n;
const EFER_LMA = 1n << 10n;
const PRESENT = 1n;
const WRITABLE = 2n;
const USER = 4n;
const LARGE = 0x80n;
const NO_EXECUTE = 1n << 63n;
const ADDRESS = 0xff_ffff_f000n;
const CANONICAL_BITS = 48;
/** Tables may point at each other so that a walk would never end: it ends after so many entries. */
const MAX_ENTRIES = 1 << 20;

/** Neighbouring pages with the same rights. */
export interface MappedRange {
  /** Linear addresses `[start, end)`. */
  readonly start: bigint;
  readonly end: bigint;
  readonly user: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
}

/** Rights add up over the levels: what any table forbids is forbidden (SDM 3A 4.6). */
interface Rights {
  readonly user: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
}

const ALL: Rights = { user: true, writable: true, executable: true };

function restrict(rights: Rights, entry: bigint): Rights {
  return {
    user: rights.user && (entry & USER) !== 0n,
    writable: rights.writable && (entry & WRITABLE) !== 0n,
    executable: rights.executable && (entry & NO_EXECUTE) === 0n,
  };
}

class Walk {
  readonly ranges: MappedRange[] = [];
  private entries = 0;

  constructor(
    private readonly cpu: X86Cpu,
    private readonly most: number,
  ) {}

  get over(): boolean {
    return this.ranges.length >= this.most || this.entries >= MAX_ENTRIES;
  }

  /** A table whose entries of `bytes` stand for `1 << shift` bytes each; `levels` further ones may lie below. */
  table(
    address: bigint,
    count: number,
    bytes: 4 | 8,
    shift: number,
    levels: number,
    linear: bigint,
    rights: Rights,
  ): void {
    const { ram } = this.cpu.engine;
    for (let i = 0; i < count && !this.over; i++) {
      this.entries++;
      const at = Number(address) + i * bytes;
      const entry = bytes === 8 ? ram.u64(at) : BigInt(ram.u32(at));
      if ((entry & PRESENT) === 0n) continue;
      this.entry(entry, bytes, shift, levels, linear + (BigInt(i) << BigInt(shift)), rights);
    }
  }

  private entry(entry: bigint, bytes: 4 | 8, shift: number, levels: number, linear: bigint, rights: Rights): void {
    const allowed = restrict(rights, entry);
    const mayBeLarge = bytes === 8 ? shift <= 30 : (this.cpu.state.get64("cr4") & CR4_PSE) !== 0n;
    if (levels === 0 || (mayBeLarge && (entry & LARGE) !== 0n)) return this.page(linear, 1n << BigInt(shift), allowed);
    const next = bytes === 8 ? 9 : 10;
    this.table(entry & ADDRESS, 1 << next, bytes, shift - next, levels - 1, linear, allowed);
  }

  /** Notes a page, as part of the range before it if that is of its kind. */
  page(linear: bigint, size: bigint, rights: Rights): void {
    const wide = (this.cpu.state.get64("efer") & EFER_LMA) !== 0n;
    const start = wide ? BigInt.asUintN(64, BigInt.asIntN(CANONICAL_BITS, linear)) : linear;
    const last = this.ranges.at(-1);
    const joins =
      last !== undefined &&
      last.end === start &&
      last.user === rights.user &&
      last.writable === rights.writable &&
      last.executable === rights.executable;
    if (joins) this.ranges[this.ranges.length - 1] = { ...last, end: start + size };
    else this.ranges.push({ start, end: start + size, ...rights });
  }
}

/** What a vCPU's page tables map, in order, at most `most` ranges; null while paging is off. */
export function mappedRanges(cpu: X86Cpu, most: number): readonly MappedRange[] | null {
  const { state } = cpu;
  if ((state.get64("cr0") & CR0_PG) === 0n) return null;
  const walk = new Walk(cpu, most);
  const cr3 = state.get64("cr3");
  if ((state.get64("cr4") & CR4_PAE) === 0n) walk.table(cr3 & 0xffff_f000n, 1024, 4, 22, 1, 0n, ALL);
  else if ((state.get64("efer") & EFER_LMA) !== 0n) walk.table(cr3 & ADDRESS, 512, 8, 39, 3, 0n, ALL);
  else
    for (let i = 0; i < 4; i++) {
      const pointer = state.get64("pdpte", i);
      if ((pointer & PRESENT) !== 0n) walk.table(pointer & ADDRESS, 512, 8, 21, 1, BigInt(i) << 30n, ALL);
    }
  return walk.ranges;
}
