// SPDX-License-Identifier: Apache-2.0
// The cache of decoded blocks: found by physical address and mode, dropped when their bytes are written. The run loop
// decodes and allocates; this file finds, links into lists, and kills. Layouts: engine/src/record.ts.
import {
  ARENA,
  ARENA_HALF_SIZE,
  BLOCK_BUCKETS,
  BLOCK_COMPILED,
  BLOCK_DEAD,
  BLOCK_FIRST_NODE,
  BLOCK_FRAME,
  BLOCK_HEADER_SIZE,
  BLOCK_MODE_KEY,
  BLOCK_NEXT_DEAD,
  BLOCK_NEXT_IN_BUCKET,
  BLOCK_PAGE_OFFSET,
  BLOCK_RECORDS,
  BLOCK_SECOND_FRAME,
  BLOCK_SECOND_NODE,
  BLOCK_TABLE,
  CODE_COUNTER_ARENA_EVICTIONS,
  CODE_COUNTER_BLOCKS_EVICTED,
  CODE_COUNTER_BLOCKS_INVALIDATED,
  CODE_COUNTER_PAGES_PROTECTED,
  CODE_MASKS,
  CPU_EVENT,
  CPU_RECORDS,
  CPU_STRIDE,
  FRAME_BLOCKS,
  HANDLER_RESYNC,
  NODE_BLOCK,
  NODE_END,
  NODE_NEXT,
  NODE_START,
  RECORD_FLAGS,
  RECORD_FLAG_LINKS,
  RECORD_HANDLER,
  RECORD_LINK_NOT_TAKEN,
  RECORD_LINK_TAKEN,
  RECORD_REMAINING,
  RECORD_SIZE,
} from "./generated/layout";
import { count } from "./counters";
import { countInterpreted } from "./heat";
import { clearJumpCache } from "./jump-cache";
import { protectRamPage } from "./tlb";

const NO_FRAME: u32 = 0xffff_ffff;

/** In the event word: there is nothing else to look for than the translator's work. */
const TRANSLATOR_EVENT: u32 = 0xc000_0000;

let cpuCount: u32 = 1;

/** Dead blocks that compiled regions contain, linked by BLOCK_NEXT_DEAD, until the translator has heard of them. */
let deadBlocks: usize = 0;

/** Tells how many vCPUs have TLBs and jump caches. */
export function configureCpus(count: u32): void {
  cpuCount = count;
}

function bucketOf(frame: u32, offset: u32, mode: u32): usize {
  let hash = ((frame << 12) | offset) ^ (mode << 24);
  hash *= 0x9e37_79b1;
  return BLOCK_TABLE + ((<usize>(hash >> 8) & (BLOCK_BUCKETS - 1)) << 2);
}

/** The live block at `offset` of `frame` decoded under `mode`, or 0. */
export function findBlock(frame: u32, offset: u32, mode: u32): usize {
  let block = <usize>load<u32>(bucketOf(frame, offset, mode));
  while (block != 0) {
    if (
      load<u32>(block + BLOCK_FRAME) == frame &&
      load<u16>(block + BLOCK_PAGE_OFFSET) == offset &&
      load<u16>(block + BLOCK_MODE_KEY) == mode
    )
      return block;
    block = <usize>load<u32>(block + BLOCK_NEXT_IN_BUCKET);
  }
  return 0;
}

function maskOf(start: u32, end: u32): u64 {
  const first = start >> 6;
  const last = (end - 1) >> 6;
  const upTo: u64 = last == 63 ? 0xffff_ffff_ffff_ffff : (<u64>1 << (last + 1)) - 1;
  return upTo & ~((<u64>1 << first) - 1);
}

function addNode(frame: u32, block: usize, node: usize, start: u32, end: u32): void {
  const list = FRAME_BLOCKS + (<usize>frame << 2);
  store<u32>(node + NODE_NEXT, load<u32>(list));
  store<u32>(node + NODE_BLOCK, <u32>block);
  store<u16>(node + NODE_START, <u16>start);
  store<u16>(node + NODE_END, <u16>end);
  store<u32>(list, <u32>node);
  const mask = CODE_MASKS + (<usize>frame << 3);
  const old = load<u64>(mask);
  if (old == 0) {
    count(CODE_COUNTER_PAGES_PROTECTED);
    protectRamPage(cpuCount, frame << 12);
  }
  store<u64>(mask, old | maskOf(start, end));
}

/**
 * Makes a block that the run loop has written findable. Its header must hold frame, second frame, mode, page offset and
 * record count. `end` is the offset behind its last byte in the first frame, `secondEnd` the same in the second.
 */
export function insertBlock(block: usize, end: u32, secondEnd: u32): void {
  const frame = load<u32>(block + BLOCK_FRAME);
  const offset = <u32>load<u16>(block + BLOCK_PAGE_OFFSET);
  const bucket = bucketOf(frame, offset, load<u16>(block + BLOCK_MODE_KEY));
  store<u32>(block + BLOCK_NEXT_IN_BUCKET, load<u32>(bucket));
  store<u32>(bucket, <u32>block);
  store<u16>(block + BLOCK_DEAD, 0);
  addNode(frame, block, block + BLOCK_FIRST_NODE, offset, end);
  const second = load<u32>(block + BLOCK_SECOND_FRAME);
  if (second != NO_FRAME) addNode(second, block, block + BLOCK_SECOND_NODE, 0, secondEnd);
}

/** Takes a block out of the block table and makes whoever runs or links to it look RIP up again. */
function kill(block: usize): void {
  countInterpreted(block);
  store<u16>(block + BLOCK_DEAD, 1);
  const bucket = bucketOf(load<u32>(block + BLOCK_FRAME), load<u16>(block + BLOCK_PAGE_OFFSET), load<u16>(block + BLOCK_MODE_KEY));
  let at = bucket;
  while (<usize>load<u32>(at) != block) at = <usize>load<u32>(at) + BLOCK_NEXT_IN_BUCKET;
  store<u32>(at, load<u32>(block + BLOCK_NEXT_IN_BUCKET));
  let record = block + BLOCK_HEADER_SIZE;
  for (let n = <u32>load<u16>(block + BLOCK_RECORDS); n > 0; n--) {
    store<u32>(record + RECORD_HANDLER, HANDLER_RESYNC);
    record += RECORD_SIZE;
  }
  if (load<u16>(block + BLOCK_COMPILED) != 0) {
    store<u32>(block + BLOCK_NEXT_DEAD, <u32>deadBlocks);
    deadBlocks = block;
    // Compiled code looks at the event word before it enters a block, so no region with this one runs any further.
    for (let i: u32 = 0; i < cpuCount; i++) {
      const event = CPU_RECORDS + <usize>i * CPU_STRIDE + CPU_EVENT;
      if (load<u32>(event) == 0) store<u32>(event, TRANSLATOR_EVENT);
    }
  }
  // Whoever comes to the dead head has not taken its instructions off the budget.
  store<u8>(block + BLOCK_HEADER_SIZE + RECORD_REMAINING, 0);
}

/** The list of dead blocks that were part of compiled regions, which is empty afterwards. */
export function takeDeadBlocks(): usize {
  const first = deadBlocks;
  deadBlocks = 0;
  return first;
}

/** Opens the links of a live block that lead to a dead one: they could not be followed without a lookup each time. */
function unlinkDead(block: usize): void {
  // Only the last record of a block jumps.
  const last = block + BLOCK_HEADER_SIZE + (<usize>load<u16>(block + BLOCK_RECORDS) - 1) * RECORD_SIZE;
  if ((load<u8>(last + RECORD_FLAGS) & RECORD_FLAG_LINKS) == 0) return;
  openIfDead(last + RECORD_LINK_TAKEN);
  openIfDead(last + RECORD_LINK_NOT_TAKEN);
}

function openIfDead(slot: usize): void {
  const target = <usize>load<u32>(slot);
  if (target >= ARENA && load<u32>(target + RECORD_HANDLER) == HANDLER_RESYNC) store<u32>(slot, 0);
}

/** Removes dead nodes from a frame's list and recomputes its mask. */
function sweepFrame(frame: u32): void {
  let link = FRAME_BLOCKS + (<usize>frame << 2);
  let mask: u64 = 0;
  let node = <usize>load<u32>(link);
  while (node != 0) {
    const next = load<u32>(node + NODE_NEXT);
    if (load<u16>(<usize>load<u32>(node + NODE_BLOCK) + BLOCK_DEAD) != 0) store<u32>(link, next);
    else {
      unlinkDead(<usize>load<u32>(node + NODE_BLOCK));
      mask |= maskOf(load<u16>(node + NODE_START), load<u16>(node + NODE_END));
      link = node + NODE_NEXT;
    }
    node = <usize>next;
  }
  store<u64>(CODE_MASKS + (<usize>frame << 3), mask);
}

/** Whether decoded code may be in `length` bytes at `offset`, inside one page. */
export function holdsCode(offset: u32, length: u32): bool {
  const start = offset & 0xfff;
  return (load<u64>(CODE_MASKS + (<usize>(offset >> 12) << 3)) & maskOf(start, start + length)) != 0;
}

/** Hears of a write to RAM (`length` bytes at `offset`, inside one page): kills the blocks whose bytes changed. */
export function writtenCode(offset: u32, length: u32): void {
  const frame = offset >> 12;
  const mask = load<u64>(CODE_MASKS + (<usize>frame << 3));
  if (mask == 0) return;
  const start = offset & 0xfff;
  const end = start + length;
  if ((mask & maskOf(start, end)) == 0) return;
  let found = false;
  for (let node = <usize>load<u32>(FRAME_BLOCKS + (<usize>frame << 2)); node != 0; node = <usize>load<u32>(node + NODE_NEXT)) {
    if (load<u16>(node + NODE_START) >= end || load<u16>(node + NODE_END) <= start) continue;
    const block = <usize>load<u32>(node + NODE_BLOCK);
    if (load<u16>(block + BLOCK_DEAD) != 0) continue;
    count(CODE_COUNTER_BLOCKS_INVALIDATED);
    kill(block);
    found = true;
  }
  if (found) sweepFrame(frame);
}

/** Hears of a write by a device to RAM, of any length. */
export function writtenByDevice(offset: u32, length: u32): void {
  let at = offset;
  let left = length;
  while (left > 0) {
    const part = min<u32>(left, 0x1000 - (at & 0xfff));
    writtenCode(at, part);
    at += part;
    left -= part;
  }
}

/**
 * Empties half `half` (0 or 1) of the arena: kills its blocks, clears links of the other half that lead into it, and
 * forgets all jump cache entries. `used` and `otherUsed` are the bytes in use in the two halves.
 */
export function evictHalf(half: u32, used: u32, otherUsed: u32): void {
  const start = ARENA + <usize>half * ARENA_HALF_SIZE;
  const end = start + <usize>used;
  count(CODE_COUNTER_ARENA_EVICTIONS);
  for (let block = start; block < end; block += BLOCK_HEADER_SIZE + <usize>load<u16>(block + BLOCK_RECORDS) * RECORD_SIZE) {
    if (load<u16>(block + BLOCK_DEAD) != 0) continue;
    count(CODE_COUNTER_BLOCKS_EVICTED);
    kill(block);
  }
  for (let block = start; block < end; block += BLOCK_HEADER_SIZE + <usize>load<u16>(block + BLOCK_RECORDS) * RECORD_SIZE) {
    sweepFrame(load<u32>(block + BLOCK_FRAME));
    const second = load<u32>(block + BLOCK_SECOND_FRAME);
    if (second != NO_FRAME) sweepFrame(second);
  }
  const other = ARENA + <usize>(1 - half) * ARENA_HALF_SIZE;
  const otherEnd = other + <usize>otherUsed;
  let block = other;
  while (block < otherEnd) {
    let record = block + BLOCK_HEADER_SIZE;
    for (let n = <u32>load<u16>(block + BLOCK_RECORDS); n > 0; n--) {
      if ((load<u8>(record + RECORD_FLAGS) & RECORD_FLAG_LINKS) != 0) {
        unlink(record + RECORD_LINK_TAKEN, start, end);
        unlink(record + RECORD_LINK_NOT_TAKEN, start, end);
      }
      record += RECORD_SIZE;
    }
    block = record;
  }
  for (let i: u32 = 0; i < cpuCount; i++) clearJumpCache(CPU_RECORDS + <usize>i * CPU_STRIDE);
}

function unlink(slot: usize, start: usize, end: usize): void {
  const target = <usize>load<u32>(slot);
  if (target >= start && target < end) store<u32>(slot, 0);
}
