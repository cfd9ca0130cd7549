// SPDX-License-Identifier: Apache-2.0
// The soft TLB: direct-mapped arrays that handlers probe inline. It is a shadow of the guest's page tables, filled on
// misses and tagged by address space (address-space.ts), so that CR3 writes need not empty it.
import {
  CODE_MASKS,
  CPU_CR4,
  CPU_TLB_ARRAYS,
  CPU_TLB_LARGE_PAGES,
  CPU_TLB_SPACE_KEY,
  CPU_TLB_SYSTEM_KEY,
  EMPTY_TLB,
  FRAME_WRITERS,
  RAM_BASE,
  TLBS,
  TLBS_PER_CPU,
  TLB_ENTRIES,
  TLB_SIZE,
  VCPU_COUNTER_PAGE_INVALIDATIONS,
  VCPU_COUNTER_TLB_FILLS,
  TLB_ADDEND,
  TLB_RAM_PAGE,
  TLB_TAG_EXECUTE,
  TLB_TAG_READ,
  TLB_TAG_WRITE,
} from "./generated/layout";
import { count } from "./counters";
import { flushTlb, noteLocal } from "./address-space";
import { invalidateJumps } from "./jump-cache";
import { IS_DIRTY, IS_GLOBAL, IS_HUGE, IS_LARGE, MAY_EXECUTE, MAY_WRITE } from "./paging";
import { CR4_PAE } from "./system/bits";
import { mayHaveBreakpoint } from "./watch";

export const TAG_READ: usize = TLB_TAG_READ;
export const TAG_WRITE: usize = TLB_TAG_WRITE;
export const TAG_EXECUTE: usize = TLB_TAG_EXECUTE;
export const ADDEND: usize = TLB_ADDEND;
/** Entry: offset of the page in RAM. */
export const RAM_PAGE: usize = TLB_RAM_PAGE;
const ENTRY_SHIFT: u32 = 5;
const PAGE: u64 = ~(<u64>0xfff);
/** Number of the array that belongs to supervisor accesses which must not touch user pages. */
export const SYSTEM: usize = 0;
export const USER: usize = 1;

/** Address of array `number` of this CPU. */
export function arrayOf(cpu: usize, number: usize): usize {
  return <usize>load<u32>(cpu + CPU_TLB_ARRAYS + (number << 2));
}

/** Address-space tag of the entries of array `base`. */
export function keyOf(cpu: usize, base: usize): u64 {
  return <u64>(base == arrayOf(cpu, SYSTEM) ? load<u32>(cpu + CPU_TLB_SYSTEM_KEY) : load<u32>(cpu + CPU_TLB_SPACE_KEY));
}

/** Address of the entry that may hold `linear` in the array `base`. */
export function entryOf(base: usize, linear: u64): usize {
  return base + ((<usize>(linear >> 12) & (TLB_ENTRIES - 1)) << ENTRY_SHIFT);
}

/** Tag of a valid entry of array `base` for `linear`. */
export function tagOf(cpu: usize, base: usize, linear: u64): u64 {
  return (linear & PAGE) | keyOf(cpu, base);
}

/** Fills the entry for `linear` after a data access. `page` is the result of a walk, `ram` the offset of its page in RAM. */
export function fill(cpu: usize, base: usize, linear: u64, page: u64, ram: u32): void {
  if (base == EMPTY_TLB) return;
  const tag = tagOf(cpu, base, linear);
  const entry = replace(cpu, base, linear, page, ram);
  const writable = (page & (MAY_WRITE | IS_DIRTY)) == (MAY_WRITE | IS_DIRTY) && !hasCode(ram);
  store<u64>(entry + TAG_READ, tag);
  store<u64>(entry + TAG_WRITE, writable ? tag : 0);
  // Fetches from pages with breakpoints are to miss once.
  const executable = (page & MAY_EXECUTE) != 0 && !mayHaveBreakpoint(linear);
  store<u64>(entry + TAG_EXECUTE, executable ? tag : 0);
  if (writable) noteWriter(entry, ram);
}

/**
 * Fills the entry after a fetch. Data accesses may have other rights than it (SMAP), so only the execute tag is set; the
 * others stay if the entry held the same page and frame already.
 */
export function fillCode(cpu: usize, base: usize, linear: u64, page: u64, ram: u32): void {
  const tag = tagOf(cpu, base, linear);
  const sameFrame = load<u32>(entryOf(base, linear) + RAM_PAGE) == ram;
  const entry = replace(cpu, base, linear, page, ram);
  store<u64>(entry + TAG_EXECUTE, tag);
  if (!sameFrame || load<u64>(entry + TAG_READ) != tag) store<u64>(entry + TAG_READ, 0);
  if (!sameFrame || load<u64>(entry + TAG_WRITE) != tag) store<u64>(entry + TAG_WRITE, 0);
}

/** Writes everything but the tags. */
function replace(cpu: usize, base: usize, linear: u64, page: u64, ram: u32): usize {
  count(cpu + VCPU_COUNTER_TLB_FILLS);
  const entry = entryOf(base, linear);
  store<u32>(entry + ADDEND, <u32>RAM_BASE + ram - (<u32>linear & 0xffff_f000));
  store<u32>(entry + RAM_PAGE, ram);
  if ((page & IS_GLOBAL) == 0 && base == arrayOf(cpu, SYSTEM)) noteLocal(cpu, entry, (page & MAY_EXECUTE) != 0);
  if ((page & (IS_LARGE | IS_HUGE)) != 0) noteLarge(cpu, linear, (page & IS_HUGE) != 0);
  return entry;
}

/** Whether code has been decoded from the page of RAM at `ram`. */
export function hasCode(ram: u32): bool {
  return load<u64>(CODE_MASKS + (<usize>(ram >> 12) << 3)) != 0;
}

// Who may write a frame without being seen: two entries for each frame of RAM, or MANY in the first place. Code that is
// decoded from the frame must take that right away, and looking through all arrays for it would take long.
const MANY: u32 = 0xffff_ffff;

function noteWriter(entry: usize, ram: u32): void {
  const slots = FRAME_WRITERS + (<usize>(ram >> 12) << 3);
  const first = load<u32>(slots);
  if (first == <u32>entry || first == MANY) return;
  if (isStale(first, ram)) store<u32>(slots, <u32>entry);
  else {
    const second = load<u32>(slots + 4);
    if (second == <u32>entry) return;
    if (isStale(second, ram)) store<u32>(slots + 4, <u32>entry);
    else store<u32>(slots, MANY);
  }
}

function isStale(entry: u32, ram: u32): bool {
  return entry == 0 || load<u32>(<usize>entry + RAM_PAGE) != ram;
}

/** Takes write permission from all entries of a page of RAM, on all CPUs: it now holds decoded code. */
export function protectRamPage(cpuCount: u32, ram: u32): void {
  const slots = FRAME_WRITERS + (<usize>(ram >> 12) << 3);
  const first = load<u32>(slots);
  const second = load<u32>(slots + 4);
  store<u64>(slots, 0);
  if (first == MANY) {
    const end = TLBS + <usize>cpuCount * TLBS_PER_CPU * TLB_SIZE;
    for (let entry = TLBS; entry < end; entry += 1 << ENTRY_SHIFT) protect(entry, ram);
    return;
  }
  if (first != 0) protect(<usize>first, ram);
  if (second != 0) protect(<usize>second, ram);
}

function protect(entry: usize, ram: u32): void {
  if (load<u32>(entry + RAM_PAGE) == ram) store<u64>(entry + TAG_WRITE, 0);
}

/** Makes an entry match nothing. */
export function clear(entry: usize): void {
  store<u64>(entry + TAG_READ, 0);
  store<u64>(entry + TAG_WRITE, 0);
  store<u64>(entry + TAG_EXECUTE, 0);
}

/**
 * INVLPG: forgets the translation of one page in every address space. If it is part of a large page, all parts of that
 * one go (SDM 3A 4.10.4.1); here they are entries of their own.
 */
export function invalidatePage(cpu: usize, linear: u64): void {
  count(cpu + VCPU_COUNTER_PAGE_INVALIDATIONS);
  if (isNoted(cpu, hugeBit(linear))) {
    flushTlb(cpu);
    return;
  }
  // Without PAE large pages have 4 MiB, two of the regions that are noted.
  const pae = (load<u64>(cpu + CPU_CR4) & CR4_PAE) != 0;
  const large = isNoted(cpu, largeBit(linear)) || (!pae && isNoted(cpu, largeBit(linear ^ 0x20_0000)));
  const pages: usize = large ? (pae ? 512 : 1024) : 1;
  const start = large ? linear & ~((<u64>pages << 12) - 1) : linear;
  for (let i: usize = 0; i < TLBS_PER_CPU; i++) {
    const base = arrayOf(cpu, i);
    for (let page: usize = 0; page < pages; page++) clear(entryOf(base, start + (<u64>page << 12)));
  }
  invalidateJumps(cpu, linear, large);
}

// Which regions have been entered from large pages since the last full flush: a filter, so a bit may stand for several
// regions. 1024 bits for 2 MiB regions of each half of the address space, then 64 for 1 GiB regions of each half.
const HUGE_BITS: u32 = 2048;

function largeBit(linear: u64): u32 {
  return <u32>(((linear >> 63) << 10) | ((linear >> 21) & 1023));
}

function hugeBit(linear: u64): u32 {
  return HUGE_BITS + <u32>(((linear >> 63) << 6) | ((linear >> 30) & 63));
}

function noteLarge(cpu: usize, linear: u64, huge: bool): void {
  const bit = huge ? hugeBit(linear) : largeBit(linear);
  const byte = cpu + CPU_TLB_LARGE_PAGES + <usize>(bit >> 3);
  store<u8>(byte, load<u8>(byte) | <u8>(<u32>1 << (bit & 7)));
}

function isNoted(cpu: usize, bit: u32): bool {
  return ((load<u8>(cpu + CPU_TLB_LARGE_PAGES + <usize>(bit >> 3)) >> (bit & 7)) & 1) != 0;
}
