// SPDX-License-Identifier: Apache-2.0
// How often blocks are interpreted: their heads count entries. What the interpreter has executed follows from that, so it
// need not be counted as it goes.
import {
  ARENA,
  ARENA_HALF_SIZE,
  BLOCK_COUNTED_HEAT,
  BLOCK_HEADER_SIZE,
  BLOCK_RECORDS,
  CODE_COUNTER_INSTRUCTIONS_INTERPRETED,
  HANDLER_HEAD,
  HEAD_HEAT,
  RECORD_HANDLER,
  RECORD_REMAINING,
  RECORD_SIZE,
} from "./generated/layout";

/** Counts the instructions of a block for its entries since it was last counted. Heads that compiled code has taken over count something else. */
export function countInterpreted(block: usize): void {
  const head = block + BLOCK_HEADER_SIZE;
  if (load<u32>(head + RECORD_HANDLER) != HANDLER_HEAD) return;
  const heat = load<u32>(head + HEAD_HEAT);
  const instructions = <u64>(heat - load<u32>(block + BLOCK_COUNTED_HEAT)) * <u64>load<u8>(head + RECORD_REMAINING);
  store<u64>(CODE_COUNTER_INSTRUCTIONS_INTERPRETED, load<u64>(CODE_COUNTER_INSTRUCTIONS_INTERPRETED) + instructions);
  store<u32>(block + BLOCK_COUNTED_HEAT, heat);
}

/** Counts all blocks; `used` and `otherUsed` are the bytes in use in the two halves of the arena. */
export function countAllInterpreted(used: u32, otherUsed: u32): void {
  countHalf(ARENA, used);
  countHalf(ARENA + ARENA_HALF_SIZE, otherUsed);
}

function countHalf(start: usize, used: u32): void {
  let block = start;
  while (block < start + <usize>used) {
    countInterpreted(block);
    block += BLOCK_HEADER_SIZE + <usize>load<u16>(block + BLOCK_RECORDS) * RECORD_SIZE;
  }
}

/** Sets what a head counts. */
export function setHeat(block: usize, heat: u32): void {
  countInterpreted(block);
  store<u32>(block + BLOCK_HEADER_SIZE + HEAD_HEAT, heat);
  store<u32>(block + BLOCK_COUNTED_HEAT, heat);
}
