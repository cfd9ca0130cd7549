// SPDX-License-Identifier: Apache-2.0
// Tags of TLB entries. Each address space has one for the arrays that hold user pages. The array of supervisor accesses
// has a tag of its own, which stays when CR3 changes, because nearly all that it holds are global pages; the few others
// are listed and dropped then (SDM 3A 4.10.2.4). If the list has overflowed, the array gets a new tag. A kernel that maps
// itself without global pages overflows it every time, and then that array, too, is tagged by address space ("unsplit")
// until the next full flush.
import {
  CPU_CR3,
  CPU_CR4,
  CPU_INDEX,
  CPU_JUMP_CACHE,
  CPU_TLB_ARRAYS,
  CPU_TLB_BASE,
  CPU_TLB_KEY,
  CPU_TLB_LARGE_PAGES,
  CPU_TLB_LAST_KEY,
  CPU_TLB_LOCALS,
  CPU_TLB_LOCAL_CODE,
  CPU_TLB_LOCAL_COUNT,
  CPU_TLB_PCIDS,
  CPU_TLB_PCID_NEXT,
  CPU_TLB_SPACE_KEY,
  CPU_TLB_SPLIT,
  CPU_TLB_SYSTEM_KEY,
  EMPTY_TLB,
  JUMP_CACHES,
  JUMP_CACHE_SIZE,
  TLBS,
  TLBS_PER_CPU,
  TLB_SIZE,
  VCPU_COUNTER_TLB_FLUSHES,
} from "./generated/layout";
import { count } from "./counters";
import { clearJumpCache, forgetJumps, refreshJumpContext } from "./jump-cache";
import { CR4_PCIDE } from "./system/bits";
import { arrayOf, clear, keyOf } from "./tlb";

const MAX_KEY: u32 = 0xfff;
const PCID_SLOTS: u32 = 16;
const SLOT_USED: u32 = 1 << 24;
const MAX_LOCALS: u32 = 32;
/** So many overflows of the list one after the other, and the supervisor array is tagged by address space. */
const MAX_OVERFLOWS: u32 = 8;
const LARGE_PAGES_SIZE: usize = 272;

/** Puts the arrays of this CPU where the memory map says, all empty. Part of CPU creation. */
export function initTlb(cpu: usize): void {
  const index = <usize>load<u32>(cpu + CPU_INDEX);
  const first = TLBS + index * TLBS_PER_CPU * TLB_SIZE;
  for (let i: usize = 0; i < TLBS_PER_CPU; i++) store<u32>(cpu + CPU_TLB_ARRAYS + (i << 2), <u32>(first + i * TLB_SIZE));
  store<u32>(cpu + CPU_TLB_ARRAYS + 12, <u32>EMPTY_TLB);
  store<u32>(cpu + CPU_JUMP_CACHE, <u32>(JUMP_CACHES + index * JUMP_CACHE_SIZE));
  restartKeys(cpu);
}

/** Puts the tag of the array in use where probes find it. Needed after any change of the array or of the tags. */
export function refreshKey(cpu: usize): void {
  store<u64>(cpu + CPU_TLB_KEY, keyOf(cpu, <usize>load<u32>(cpu + CPU_TLB_BASE)));
}

function useKeys(cpu: usize, space: u32, system: u32): void {
  store<u32>(cpu + CPU_TLB_SPACE_KEY, space);
  store<u32>(cpu + CPU_TLB_SYSTEM_KEY, system);
  refreshKey(cpu);
  refreshJumpContext(cpu);
}

/** Empties everything and begins with the first tags. */
function restartKeys(cpu: usize): void {
  memory.fill(arrayOf(cpu, 0), 0, TLBS_PER_CPU * TLB_SIZE);
  memory.fill(cpu + CPU_TLB_LARGE_PAGES, 0, LARGE_PAGES_SIZE);
  clearJumpCache(cpu);
  forgetPcids(cpu);
  forgetLocals(cpu);
  store<u32>(cpu + CPU_TLB_SPLIT, MAX_OVERFLOWS);
  store<u32>(cpu + CPU_TLB_LAST_KEY, 2);
  rememberPcid(cpu, currentPcid(cpu), 1);
  useKeys(cpu, 1, 2);
}

function currentPcid(cpu: usize): u32 {
  return (load<u64>(cpu + CPU_CR4) & CR4_PCIDE) != 0 ? <u32>load<u64>(cpu + CPU_CR3) & 0xfff : 0;
}

function forgetPcids(cpu: usize): void {
  memory.fill(cpu + CPU_TLB_PCIDS, 0, <usize>PCID_SLOTS << 2);
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

/** A tag that nothing in the TLB has; 0 if there was none left and everything began anew. */
function takeKey(cpu: usize): u32 {
  const key = load<u32>(cpu + CPU_TLB_LAST_KEY) + 1;
  if (key > MAX_KEY) {
    restartKeys(cpu);
    return 0;
  }
  store<u32>(cpu + CPU_TLB_LAST_KEY, key);
  return key;
}

/** The same for the address space of the current PCID. */
function freshKey(cpu: usize): u32 {
  count(cpu + VCPU_COUNTER_TLB_FLUSHES);
  const key = takeKey(cpu);
  if (key != 0) rememberPcid(cpu, currentPcid(cpu), key);
  return key;
}

/** Hears that an entry of the supervisor array was filled from a page that is not global. */
export function noteLocal(cpu: usize, entry: usize, executable: bool): void {
  if (load<u32>(cpu + CPU_TLB_SPLIT) == 0) return;
  const count = load<u32>(cpu + CPU_TLB_LOCAL_COUNT);
  if (executable) store<u32>(cpu + CPU_TLB_LOCAL_CODE, 1);
  if (count < MAX_LOCALS) store<u32>(cpu + CPU_TLB_LOCALS + (<usize>count << 2), <u32>entry);
  if (count <= MAX_LOCALS) store<u32>(cpu + CPU_TLB_LOCAL_COUNT, count + 1);
}

function forgetLocals(cpu: usize): void {
  store<u32>(cpu + CPU_TLB_LOCAL_COUNT, 0);
  store<u32>(cpu + CPU_TLB_LOCAL_CODE, 0);
}

/**
 * Tag of the supervisor array after a change to the address space tagged `space`: drops what is not global. 0 if there was
 * no tag left and everything began anew.
 */
function systemKeyFor(cpu: usize, space: u32): u32 {
  const split = load<u32>(cpu + CPU_TLB_SPLIT);
  if (split == 0) return space;
  const count = load<u32>(cpu + CPU_TLB_LOCAL_COUNT);
  if (count > MAX_LOCALS) {
    store<u32>(cpu + CPU_TLB_SPLIT, split - 1);
    forgetLocals(cpu);
    return split == 1 ? space : takeKey(cpu);
  }
  store<u32>(cpu + CPU_TLB_SPLIT, MAX_OVERFLOWS);
  for (let i: u32 = 0; i < count; i++) clear(<usize>load<u32>(cpu + CPU_TLB_LOCALS + (<usize>i << 2)));
  if (load<u32>(cpu + CPU_TLB_LOCAL_CODE) != 0) forgetJumps(cpu);
  forgetLocals(cpu);
  return load<u32>(cpu + CPU_TLB_SYSTEM_KEY);
}

/**
 * After CR3 changed: switches to the address space of its PCID.
 * @param keep translations of that PCID stay valid (bit 63 of the value written)
 */
export function switchAddressSpace(cpu: usize, keep: bool): void {
  const slot = keep ? findPcid(cpu, currentPcid(cpu)) : 0;
  const space = slot != 0 ? (load<u32>(slot) >> 12) & MAX_KEY : freshKey(cpu);
  if (space == 0) return;
  const system = systemKeyFor(cpu, space);
  if (system != 0) useKeys(cpu, space, system);
}

/** Forgets all translations of all address spaces, global ones included. */
export function flushTlb(cpu: usize): void {
  forgetPcids(cpu);
  const space = freshKey(cpu);
  if (space == 0) return;
  const system = takeKey(cpu);
  if (system == 0) return;
  forgetLocals(cpu);
  memory.fill(cpu + CPU_TLB_LARGE_PAGES, 0, LARGE_PAGES_SIZE);
  store<u32>(cpu + CPU_TLB_SPLIT, MAX_OVERFLOWS);
  useKeys(cpu, space, system);
}

/** Forgets all translations but those of global pages (INVPCID type 3). */
export function flushAddressSpaces(cpu: usize): void {
  forgetPcids(cpu);
  switchAddressSpace(cpu, false);
}

/** Forgets the translations of one PCID (INVPCID type 1). */
export function flushPcid(cpu: usize, pcid: u32): void {
  if (pcid == currentPcid(cpu)) switchAddressSpace(cpu, false);
  else {
    const slot = findPcid(cpu, pcid);
    if (slot != 0) store<u32>(slot, 0);
  }
}
