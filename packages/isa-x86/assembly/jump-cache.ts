// SPDX-License-Identifier: Apache-2.0
// The jump cache: from linear addresses to decoded blocks, for jumps whose target is not linked. Its entries hold while
// nothing that their context names has changed.
import {
  CPU_CPL,
  CPU_JUMP_CACHE,
  CPU_JUMP_CONTEXT,
  CPU_JUMP_EPOCH,
  CPU_JUMP_PAGES,
  CPU_MODE_KEY,
  CPU_TLB_SPACE_KEY,
  CPU_TLB_SYSTEM_KEY,
  JUMP_CACHE_ENTRIES,
  JUMP_CACHE_SIZE,
} from "./generated/layout";

const MAX_EPOCH: u32 = 0x7ff;
/** One bit a page, by the low bits of its number, for each half of the address space: where entries of this epoch lie. */
const PAGES: usize = 4096;
const PAGES_SIZE: usize = PAGES / 8 * 2;

/** Address of the jump cache entry for linear address `linear`: i64 address, i32 context, i32 record. */
export function entryOf(cpu: usize, linear: u64): usize {
  const hash = (<usize>linear ^ <usize>(linear >> 12)) & (JUMP_CACHE_ENTRIES - 1);
  return <usize>load<u32>(cpu + CPU_JUMP_CACHE) + (hash << 4);
}

export function clearJumpCache(cpu: usize): void {
  memory.fill(<usize>load<u32>(cpu + CPU_JUMP_CACHE), 0, JUMP_CACHE_SIZE);
  memory.fill(cpu + CPU_JUMP_PAGES, 0, PAGES_SIZE);
}

function pageByte(cpu: usize, linear: u64): usize {
  return cpu + CPU_JUMP_PAGES + <usize>(linear >> 63) * (PAGES / 8) + (<usize>(linear >> 15) & (PAGES / 8 - 1));
}

function notePage(cpu: usize, linear: u64): void {
  const byte = pageByte(cpu, linear);
  store<u8>(byte, load<u8>(byte) | <u8>(<u32>1 << (<u32>(linear >> 12) & 7)));
}

/** Enters the block whose first record is `record` for `linear`; `straddles` if it ends in the next page. */
export function rememberJump(cpu: usize, linear: u64, record: usize, straddles: bool): void {
  const entry = entryOf(cpu, linear);
  store<u64>(entry, linear);
  store<u32>(entry + 8, load<u32>(cpu + CPU_JUMP_CONTEXT));
  store<u32>(entry + 12, <u32>record);
  notePage(cpu, linear);
  if (straddles) notePage(cpu, linear + 0x1000);
}

/** After the translation of the page of `linear` was invalidated, or of the large page around it. */
export function invalidateJumps(cpu: usize, linear: u64, large: bool): void {
  if (large || ((load<u8>(pageByte(cpu, linear)) >> (<u32>(linear >> 12) & 7)) & 1) != 0) forgetJumps(cpu);
}

/** Makes all entries invalid. */
export function forgetJumps(cpu: usize): void {
  const epoch = load<u32>(cpu + CPU_JUMP_EPOCH) + 1;
  if (epoch > MAX_EPOCH) clearJumpCache(cpu);
  else memory.fill(cpu + CPU_JUMP_PAGES, 0, PAGES_SIZE);
  store<u32>(cpu + CPU_JUMP_EPOCH, epoch > MAX_EPOCH ? 0 : epoch);
  refreshJumpContext(cpu);
}

/**
 * Recomputes the context of jump cache entries: bits 0-11 tag of the TLB that serves fetches, 12-19 mode key, 20 user
 * privilege, 21-31 epoch. Needed after any change of those.
 */
export function refreshJumpContext(cpu: usize): void {
  const user = load<u32>(cpu + CPU_CPL) == 3;
  const key = user ? load<u32>(cpu + CPU_TLB_SPACE_KEY) : load<u32>(cpu + CPU_TLB_SYSTEM_KEY);
  const context = key | ((load<u32>(cpu + CPU_MODE_KEY) & 0xff) << 12) | (user ? 1 << 20 : 0);
  store<u32>(cpu + CPU_JUMP_CONTEXT, context | (load<u32>(cpu + CPU_JUMP_EPOCH) << 21));
}
