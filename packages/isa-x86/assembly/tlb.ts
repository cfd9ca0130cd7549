// SPDX-License-Identifier: Apache-2.0
// The soft TLB: direct-mapped arrays that handlers probe inline. It is a shadow of the guest's page tables, filled on
// misses, tagged by address space so that CR3 writes need not empty it.
import {
  CPU_CR4,
  CPU_CR3,
  CPU_CPL,
  CPU_INDEX,
  CPU_JUMP_CACHE,
  CPU_JUMP_CONTEXT,
  CPU_JUMP_EPOCH,
  CPU_MODE_KEY,
  CPU_TLB_ARRAYS,
  CPU_TLB_KEY,
  CPU_TLB_LAST_KEY,
  CPU_TLB_PCIDS,
  CPU_TLB_PCID_NEXT,
  EMPTY_TLB,
  JUMP_CACHES,
  JUMP_CACHE_ENTRIES,
  JUMP_CACHE_SIZE,
  RAM_BASE,
  TLBS,
  TLBS_PER_CPU,
  TLB_ENTRIES,
  TLB_SIZE,
} from "./generated/layout";

export const TAG_READ: usize = 0;
export const TAG_WRITE: usize = 8;
export const TAG_EXECUTE: usize = 16;
export const ADDEND: usize = 24;
/** Entry: offset of the page in RAM, for finding entries of a frame. */
const RAM_PAGE: usize = 28;
const ENTRY_SHIFT: u32 = 5;
const PAGE: u64 = ~(<u64>0xfff);
const MAX_KEY: u32 = 0xfff;
const MAX_EPOCH: u32 = 0x7ff;
const CR4_PCIDE: u64 = 0x2_0000;
const PCID_SLOTS: u32 = 16;
const SLOT_USED: u32 = 1 << 24;

/** Address of the entry that may hold `linear` in the array `base`. */
export function entryOf(base: usize, linear: u64): usize {
  return base + ((<usize>(linear >> 12) & (TLB_ENTRIES - 1)) << ENTRY_SHIFT);
}

/** Puts the arrays of this CPU where the memory map says, all empty. Part of CPU creation. */
export function initTlb(cpu: usize): void {
  const index = <usize>load<u32>(cpu + CPU_INDEX);
  const first = TLBS + index * TLBS_PER_CPU * TLB_SIZE;
  for (let i: usize = 0; i < TLBS_PER_CPU; i++) store<u32>(cpu + CPU_TLB_ARRAYS + (i << 2), <u32>(first + i * TLB_SIZE));
  store<u32>(cpu + CPU_TLB_ARRAYS + 12, <u32>EMPTY_TLB);
  store<u32>(cpu + CPU_JUMP_CACHE, <u32>(JUMP_CACHES + index * JUMP_CACHE_SIZE));
  restartKeys(cpu);
}

/** Fills the entry for `linear`. `writable` and `executable` say which tags besides READ are valid. */
export function fill(cpu: usize, base: usize, linear: u64, ramPage: u32, writable: bool, executable: bool): void {
  if (base == EMPTY_TLB) return;
  const entry = entryOf(base, linear);
  const tag = (linear & PAGE) | load<u64>(cpu + CPU_TLB_KEY);
  store<u64>(entry + TAG_READ, tag);
  store<u64>(entry + TAG_WRITE, writable ? tag : 0);
  store<u64>(entry + TAG_EXECUTE, executable ? tag : 0);
  store<u32>(entry + ADDEND, <u32>RAM_BASE + ramPage - (<u32>linear & 0xffff_f000));
  store<u32>(entry + RAM_PAGE, ramPage);
}

/** Takes write permission from all entries of a page of RAM, on all CPUs: it now holds decoded code. */
export function protectRamPage(cpuCount: u32, ramPage: u32): void {
  const end = TLBS + <usize>cpuCount * TLBS_PER_CPU * TLB_SIZE;
  for (let entry = TLBS; entry < end; entry += 1 << ENTRY_SHIFT) {
    if (load<u32>(entry + RAM_PAGE) == ramPage) store<u64>(entry + TAG_WRITE, 0);
  }
}

/** Drops everything and starts with a fresh tag. */
function restartKeys(cpu: usize): void {
  const first = <usize>load<u32>(cpu + CPU_TLB_ARRAYS);
  memory.fill(first, 0, TLBS_PER_CPU * TLB_SIZE);
  clearJumpCache(cpu);
  forgetPcids(cpu);
  store<u32>(cpu + CPU_TLB_LAST_KEY, 1);
  store<u64>(cpu + CPU_TLB_KEY, 1);
  rememberPcid(cpu, currentPcid(cpu), 1);
}

export function clearJumpCache(cpu: usize): void {
  memory.fill(<usize>load<u32>(cpu + CPU_JUMP_CACHE), 0, JUMP_CACHE_SIZE);
}

function currentPcid(cpu: usize): u32 {
  return (load<u64>(cpu + CPU_CR4) & CR4_PCIDE) != 0 ? <u32>load<u64>(cpu + CPU_CR3) & 0xfff : 0;
}

function forgetPcids(cpu: usize): void {
  for (let i: u32 = 0; i < PCID_SLOTS; i++) store<u32>(cpu + CPU_TLB_PCIDS + (<usize>i << 2), 0);
}

function findPcid(cpu: usize, pcid: u32): usize {
  for (let i: u32 = 0; i < PCID_SLOTS; i++) {
    const slot = cpu + CPU_TLB_PCIDS + (<usize>i << 2);
    const value = load<u32>(slot);
    if ((value & SLOT_USED) != 0 && (value & 0xfff) == pcid) return slot;
  }
  return 0;
}

function rememberPcid(cpu: usize, pcid: u32, key: u32): void {
  let slot = findPcid(cpu, pcid);
  if (slot == 0) {
    const next = load<u32>(cpu + CPU_TLB_PCID_NEXT);
    slot = cpu + CPU_TLB_PCIDS + (<usize>next << 2);
    store<u32>(cpu + CPU_TLB_PCID_NEXT, (next + 1) % PCID_SLOTS);
  }
  store<u32>(slot, pcid | (key << 12) | SLOT_USED);
}

/** Gives the current address space a tag that nothing in the TLB has. */
function freshKey(cpu: usize): void {
  const key = load<u32>(cpu + CPU_TLB_LAST_KEY) + 1;
  if (key > MAX_KEY) {
    restartKeys(cpu);
    return;
  }
  store<u32>(cpu + CPU_TLB_LAST_KEY, key);
  store<u64>(cpu + CPU_TLB_KEY, <u64>key);
  rememberPcid(cpu, currentPcid(cpu), key);
}

/**
 * After CR3 changed: switches to the address space of its PCID.
 * @param keep translations of that PCID stay valid (bit 63 of the value written)
 */
export function switchAddressSpace(cpu: usize, keep: bool): void {
  const slot = keep ? findPcid(cpu, currentPcid(cpu)) : 0;
  if (slot != 0) store<u64>(cpu + CPU_TLB_KEY, <u64>((load<u32>(slot) >> 12) & MAX_KEY));
  else freshKey(cpu);
  refreshJumpContext(cpu);
}

/** Forgets all translations of all address spaces, global ones included. */
export function flushTlb(cpu: usize): void {
  forgetPcids(cpu);
  freshKey(cpu);
  refreshJumpContext(cpu);
}

/** Forgets the translations of one PCID (INVPCID type 1). */
export function flushPcid(cpu: usize, pcid: u32): void {
  if (pcid == currentPcid(cpu)) freshKey(cpu);
  else {
    const slot = findPcid(cpu, pcid);
    if (slot != 0) store<u32>(slot, 0);
  }
  refreshJumpContext(cpu);
}

/** INVLPG: forgets the translation of one page in every address space. */
export function invalidatePage(cpu: usize, linear: u64): void {
  const first = <usize>load<u32>(cpu + CPU_TLB_ARRAYS);
  for (let i: usize = 0; i < TLBS_PER_CPU; i++) {
    const entry = entryOf(first + i * TLB_SIZE, linear);
    store<u64>(entry + TAG_READ, 0);
    store<u64>(entry + TAG_WRITE, 0);
    store<u64>(entry + TAG_EXECUTE, 0);
  }
  const epoch = load<u32>(cpu + CPU_JUMP_EPOCH) + 1;
  if (epoch > MAX_EPOCH) clearJumpCache(cpu);
  store<u32>(cpu + CPU_JUMP_EPOCH, epoch > MAX_EPOCH ? 0 : epoch);
  refreshJumpContext(cpu);
}

/**
 * Recomputes the context of jump cache entries: bits 0-11 address-space tag, 12-19 mode key, 20 user privilege, 21-31
 * epoch. Needed after any change of those.
 */
export function refreshJumpContext(cpu: usize): void {
  const user: u32 = load<u32>(cpu + CPU_CPL) == 3 ? 1 << 20 : 0;
  const context = <u32>load<u64>(cpu + CPU_TLB_KEY) | ((load<u32>(cpu + CPU_MODE_KEY) & 0xff) << 12) | user;
  store<u32>(cpu + CPU_JUMP_CONTEXT, context | (load<u32>(cpu + CPU_JUMP_EPOCH) << 21));
}

/** Address of the jump cache entry for linear address `linear`: i64 address, i32 context, i32 record. */
export function jumpCacheEntry(cpu: usize, linear: u64): usize {
  const hash = (<usize>linear ^ <usize>(linear >> 12)) & (JUMP_CACHE_ENTRIES - 1);
  return <usize>load<u32>(cpu + CPU_JUMP_CACHE) + (hash << 4);
}
