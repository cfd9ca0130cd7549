// SPDX-License-Identifier: Apache-2.0
// CMPS and SCAS, in the manner of string-move.ts. Flags come from the last comparison; if an iteration faults they stay
// as they were before the instruction (SDM 2, REP).
import { CPU_FAULT, CPU_FLAG_AUX, CPU_FLAG_RES } from "../generated/layout";
import { hostForRead, readGuest } from "../memory";
import {
  addressMask, DESTINATION_SEGMENT, elementAddress, immediateOf, isForward, iterationLimit, loadElement, RAX, RCX, RDI, REPE,
  REPNE, RSI, retireIterations, runLength, sourceSegment, writeIndex,
} from "./string-operand";
import { equalElements, scannedElements } from "./string-run";

const REPEATED: u32 = REPE | REPNE;

function faulted(cpu: usize): bool {
  return load<u32>(cpu + CPU_FAULT) != 0;
}

/** Flags of a - b in the lazy form of the CPU record. */
function setFlags(cpu: usize, a: u64, b: u64, size: u32): void {
  const shift: u64 = 64 - (<u64>size << 3);
  const result = <u64>((<i64>((a - b) << shift)) >> shift);
  const borrows = (~a & b) | ((~a | b) & result);
  const top = <u32>((borrows << shift) >> 32) & 0xc000_0000;
  store<u64>(cpu + CPU_FLAG_RES, result);
  store<u32>(cpu + CPU_FLAG_AUX, top | (<u32>borrows & 8));
}

/** CMPS. The element at rDI is read first, as real CPUs do. */
export function compareStrings(cpu: usize, rec: usize, size: u32): u32 {
  const immediate = immediateOf(rec);
  const mask = addressMask(immediate);
  const repeated = (immediate & REPEATED) != 0;
  const whileEqual = (immediate & REPE) != 0;
  const total = repeated ? load<u64>(cpu + RCX) & mask : 1;
  const segment = sourceSegment(immediate);
  const forward = isForward(cpu);
  const step: usize = forward ? <usize>size : 0 - <usize>size;
  const limit = min(total, iterationLimit(cpu, size));
  let si = load<u64>(cpu + RSI) & mask;
  let di = load<u64>(cpu + RDI) & mask;
  let done: u64 = 0;
  let a: u64 = 0;
  let b: u64 = 0;
  let ended = false;
  while (done < limit && !ended) {
    const second = elementAddress(cpu, rec, DESTINATION_SEGMENT, di, size, false);
    if (faulted(cpu)) break;
    const first = elementAddress(cpu, rec, segment, si, size, false);
    if (faulted(cpu)) break;
    let elements = runLength(cpu, rec, segment, si, first, mask, size, forward, false, limit - done);
    if (elements != 0) elements = runLength(cpu, rec, DESTINATION_SEGMENT, di, second, mask, size, forward, false, elements);
    let right = elements != 0 ? hostForRead(cpu, rec, second) : 0;
    if (faulted(cpu)) break;
    let left = right != 0 ? hostForRead(cpu, rec, first) : 0;
    if (faulted(cpu)) break;
    let compared: u64 = 0;
    if (left != 0) {
      if (forward && whileEqual && elements > 1) {
        compared = equalElements(left, right, elements, size);
        left += <usize>compared * size;
        right += <usize>compared * size;
      }
      do {
        a = loadElement(left, size);
        b = loadElement(right, size);
        left += step;
        right += step;
        compared++;
        ended = (a == b) != whileEqual;
      } while (!ended && compared < elements);
    } else {
      const other = readGuest(cpu, rec, second, size);
      if (faulted(cpu)) break;
      const value = readGuest(cpu, rec, first, size);
      if (faulted(cpu)) break;
      a = value;
      b = other;
      compared = 1;
      ended = (a == b) != whileEqual;
    }
    const bytes = compared * size;
    si = (forward ? si + bytes : si - bytes) & mask;
    di = (forward ? di + bytes : di - bytes) & mask;
    done += compared;
  }
  if (repeated) retireIterations(cpu, mask, total, done);
  if (done == 0) return 0;
  if (!faulted(cpu)) setFlags(cpu, a, b, size);
  writeIndex(cpu, RSI, mask, si);
  writeIndex(cpu, RDI, mask, di);
  return repeated && !ended && done < total ? 1 : 0;
}

/** SCAS. */
export function scanString(cpu: usize, rec: usize, size: u32): u32 {
  const immediate = immediateOf(rec);
  const mask = addressMask(immediate);
  const repeated = (immediate & REPEATED) != 0;
  const whileEqual = (immediate & REPE) != 0;
  const total = repeated ? load<u64>(cpu + RCX) & mask : 1;
  const forward = isForward(cpu);
  const step: usize = forward ? <usize>size : 0 - <usize>size;
  const limit = min(total, iterationLimit(cpu, size));
  const a = loadElement(cpu + RAX, size);
  let di = load<u64>(cpu + RDI) & mask;
  let done: u64 = 0;
  let b: u64 = 0;
  let ended = false;
  while (done < limit && !ended) {
    const linear = elementAddress(cpu, rec, DESTINATION_SEGMENT, di, size, false);
    if (faulted(cpu)) break;
    const elements = runLength(cpu, rec, DESTINATION_SEGMENT, di, linear, mask, size, forward, false, limit - done);
    let host = elements != 0 ? hostForRead(cpu, rec, linear) : 0;
    if (faulted(cpu)) break;
    let compared: u64 = 0;
    if (host != 0) {
      if (forward && elements > 1) {
        compared = scannedElements(host, elements, size, a, whileEqual);
        host += <usize>compared * size;
      }
      do {
        b = loadElement(host, size);
        host += step;
        compared++;
        ended = (a == b) != whileEqual;
      } while (!ended && compared < elements);
    } else {
      const value = readGuest(cpu, rec, linear, size);
      if (faulted(cpu)) break;
      b = value;
      compared = 1;
      ended = (a == b) != whileEqual;
    }
    const bytes = compared * size;
    di = (forward ? di + bytes : di - bytes) & mask;
    done += compared;
  }
  if (repeated) retireIterations(cpu, mask, total, done);
  if (done == 0) return 0;
  if (!faulted(cpu)) setFlags(cpu, a, b, size);
  writeIndex(cpu, RDI, mask, di);
  return repeated && !ended && done < total ? 1 : 0;
}
