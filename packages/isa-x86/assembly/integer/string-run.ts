// SPDX-License-Identifier: Apache-2.0
// What string instructions do to a run of elements that lie in host memory, 16 bytes at a time where that gives the same.
import { loadElement, storeElement } from "./string-operand";

const VECTOR: usize = 16;
/** Below this many bytes, vectors are faster than the host's bulk operations. */
const SHORT: usize = 128;

/** MOVS: copies elements one after the other in the given direction, which matters where the two runs overlap. */
export function copyRun(to: usize, from: usize, elements: u64, size: u32, forward: bool): void {
  const bytes = <usize>elements * size;
  if (forward) {
    if (to <= from || to >= from + bytes) copyUp(to, from, bytes);
    else if (to - from >= <usize>size) repeatUp(to, from, bytes);
    else for (let at: usize = 0; at < bytes; at += size) storeElement(to + at, size, loadElement(from + at, size));
    return;
  }
  const back = bytes - size;
  if (to >= from || to + bytes <= from) {
    memory.copy(to - back, from - back, bytes);
    return;
  }
  for (let at: usize = 0; at < bytes; at += size) storeElement(to - at, size, loadElement(from - at, size));
}

/** Copies upwards; the target does not begin inside the source. */
function copyUp(to: usize, from: usize, bytes: usize): void {
  if (bytes < VECTOR || bytes >= SHORT) {
    memory.copy(to, from, bytes);
    return;
  }
  // The last vector overlaps the one before it, and the target perhaps the source.
  const end = v128.load(from + bytes - VECTOR);
  for (let at: usize = 0; at + VECTOR < bytes; at += VECTOR) v128.store(to + at, v128.load(from + at));
  v128.store(to + bytes - VECTOR, end);
}

/**
 * Copies upwards onto the source's own end: the bytes between the two starts, at least one element, repeat. What is
 * written is always a whole number of periods, so that it can be copied whole.
 */
function repeatUp(to: usize, from: usize, bytes: usize): void {
  let done = to - from;
  memory.copy(to, from, done);
  while (done < bytes) {
    const length = min(done, bytes - done);
    memory.copy(to + done, to, length);
    done += length;
  }
}

/** `value` in every element of eight bytes. */
function repeated(value: u64, size: u32): u64 {
  if (size == 8) return value;
  if (size == 4) return (value & 0xffff_ffff) * 0x0000_0001_0000_0001;
  if (size == 2) return (value & 0xffff) * 0x0001_0001_0001_0001;
  return (value & 0xff) * 0x0101_0101_0101_0101;
}

/** STOS: writes `value` to elements from `to` up. */
export function fillRun(to: usize, elements: u64, size: u32, value: u64): void {
  const bytes = <usize>elements * size;
  if (bytes < VECTOR) {
    for (let at: usize = 0; at < bytes; at += size) storeElement(to + at, size, value);
    return;
  }
  const pattern = repeated(value, size);
  if (bytes >= SHORT && pattern == repeated(value, 1)) {
    memory.fill(to, <u8>value, bytes);
    return;
  }
  const vector = i64x2.splat(<i64>pattern);
  for (let at: usize = 0; at + VECTOR < bytes; at += VECTOR) v128.store(to + at, vector);
  v128.store(to + bytes - VECTOR, vector);
}

/** CMPS upwards: how many elements are equal for sure, in whole vectors; at least one of `elements` is left over. */
export function equalElements(left: usize, right: usize, elements: u64, size: u32): u64 {
  const end = <usize>(elements - 1) * size;
  let at: usize = 0;
  while (at + VECTOR <= end) {
    if (v128.any_true(v128.xor(v128.load(left + at), v128.load(right + at)))) break;
    at += VECTOR;
  }
  return <u64>at / size;
}

/** SCAS upwards: the same for elements that all equal `value`, or all differ from it. */
export function scannedElements(from: usize, elements: u64, size: u32, value: u64, equal: bool): u64 {
  const end = <usize>(elements - 1) * size;
  const vector = i64x2.splat(<i64>repeated(value, size));
  let at: usize = 0;
  while (at + VECTOR <= end) {
    const data = v128.load(from + at);
    if (equal) {
      if (v128.any_true(v128.xor(data, vector))) break;
    } else if (v128.any_true(size == 1 ? i8x16.eq(data, vector) : size == 2 ? i16x8.eq(data, vector) : size == 4 ? i32x4.eq(data, vector) : i64x2.eq(data, vector))) {
      break;
    }
    at += VECTOR;
  }
  return <u64>at / size;
}
