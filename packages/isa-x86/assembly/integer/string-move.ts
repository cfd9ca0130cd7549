// SPDX-License-Identifier: Apache-2.0
// MOVS, STOS, LODS and XLAT. Each function executes iterations until it is done, a bounded amount of work is done, or one
// faults; rCX, rSI and rDI then say how far it came. The result is 1 if iterations remain. `size` is in bytes.
// With a repeat prefix and 32-bit addresses, real CPUs clear the upper half of RCX even if no iteration completes; MOVS
// and STOS those of RSI and RDI too.
import { CPU_FAULT } from "../generated/layout";
import { hostForRead, hostForWrite, readGuest, writeGuest } from "../memory";
import {
  addressMask, DESTINATION_SEGMENT, elementAddress, immediateOf, isForward, iterationLimit, loadElement, RAX, RBX, RCX, RDI,
  REPE, REPNE, RSI, retireIterations, runLength, sourceSegment, storeElement, writeIndex,
} from "./string-operand";
import { copyRun, fillRun } from "./string-run";

const REPEATED: u32 = REPE | REPNE;

function faulted(cpu: usize): bool {
  return load<u32>(cpu + CPU_FAULT) != 0;
}

/** MOVS. */
export function moveString(cpu: usize, rec: usize, size: u32): u32 {
  const immediate = immediateOf(rec);
  const mask = addressMask(immediate);
  const repeated = (immediate & REPEATED) != 0;
  const total = repeated ? load<u64>(cpu + RCX) & mask : 1;
  const segment = sourceSegment(immediate);
  const forward = isForward(cpu);
  const limit = min(total, iterationLimit(cpu, size));
  let si = load<u64>(cpu + RSI) & mask;
  let di = load<u64>(cpu + RDI) & mask;
  let done: u64 = 0;
  while (done < limit) {
    const source = elementAddress(cpu, rec, segment, si, size, false);
    if (faulted(cpu)) break;
    const destination = elementAddress(cpu, rec, DESTINATION_SEGMENT, di, size, true);
    if (faulted(cpu)) break;
    let elements = runLength(cpu, rec, segment, si, source, mask, size, forward, false, limit - done);
    if (elements != 0) elements = runLength(cpu, rec, DESTINATION_SEGMENT, di, destination, mask, size, forward, true, elements);
    const from = elements != 0 ? hostForRead(cpu, rec, source) : 0;
    if (faulted(cpu)) break;
    const to = from != 0 ? hostForWrite(cpu, rec, destination) : 0;
    if (faulted(cpu)) break;
    if (to != 0) copyRun(to, from, elements, size, forward);
    else {
      const value = readGuest(cpu, rec, source, size);
      if (faulted(cpu)) break;
      writeGuest(cpu, rec, destination, size, value);
      if (faulted(cpu)) break;
      elements = 1;
    }
    const bytes = elements * size;
    si = (forward ? si + bytes : si - bytes) & mask;
    di = (forward ? di + bytes : di - bytes) & mask;
    done += elements;
  }
  if (done == 0 && !repeated) return 0;
  writeIndex(cpu, RSI, mask, si);
  writeIndex(cpu, RDI, mask, di);
  if (repeated) retireIterations(cpu, mask, total, done);
  return done < total ? 1 : 0;
}

/** STOS. */
export function storeString(cpu: usize, rec: usize, size: u32): u32 {
  const immediate = immediateOf(rec);
  const mask = addressMask(immediate);
  const repeated = (immediate & REPEATED) != 0;
  const total = repeated ? load<u64>(cpu + RCX) & mask : 1;
  const forward = isForward(cpu);
  const limit = min(total, iterationLimit(cpu, size));
  const value = loadElement(cpu + RAX, size);
  let di = load<u64>(cpu + RDI) & mask;
  let done: u64 = 0;
  while (done < limit) {
    const destination = elementAddress(cpu, rec, DESTINATION_SEGMENT, di, size, true);
    if (faulted(cpu)) break;
    let elements = runLength(cpu, rec, DESTINATION_SEGMENT, di, destination, mask, size, forward, true, limit - done);
    const to = elements != 0 ? hostForWrite(cpu, rec, destination) : 0;
    if (faulted(cpu)) break;
    if (to != 0) fillRun(forward ? to : to - <usize>(elements - 1) * size, elements, size, value);
    else {
      writeGuest(cpu, rec, destination, size, value);
      if (faulted(cpu)) break;
      elements = 1;
    }
    const bytes = elements * size;
    di = (forward ? di + bytes : di - bytes) & mask;
    done += elements;
  }
  if (done == 0 && !repeated) return 0;
  writeIndex(cpu, RDI, mask, di);
  if (repeated) retireIterations(cpu, mask, total, done);
  return done < total ? 1 : 0;
}

/** LODS. */
export function loadString(cpu: usize, rec: usize, size: u32): u32 {
  const immediate = immediateOf(rec);
  const mask = addressMask(immediate);
  const repeated = (immediate & REPEATED) != 0;
  const total = repeated ? load<u64>(cpu + RCX) & mask : 1;
  const segment = sourceSegment(immediate);
  const forward = isForward(cpu);
  const limit = min(total, iterationLimit(cpu, size));
  let si = load<u64>(cpu + RSI) & mask;
  let value: u64 = 0;
  let done: u64 = 0;
  while (done < limit) {
    const source = elementAddress(cpu, rec, segment, si, size, false);
    if (faulted(cpu)) break;
    let elements = runLength(cpu, rec, segment, si, source, mask, size, forward, false, limit - done);
    const from = elements != 0 ? hostForRead(cpu, rec, source) : 0;
    if (faulted(cpu)) break;
    if (from != 0) {
      // Only the last element stays in the accumulator.
      const distance = <usize>(elements - 1) * size;
      value = loadElement(forward ? from + distance : from - distance, size);
    } else {
      const element = readGuest(cpu, rec, source, size);
      if (faulted(cpu)) break;
      value = element;
      elements = 1;
    }
    const bytes = elements * size;
    si = (forward ? si + bytes : si - bytes) & mask;
    done += elements;
  }
  if (repeated) retireIterations(cpu, mask, total, done);
  if (done == 0) return 0;
  if (size == 4) store<u64>(cpu + RAX, value);
  else storeElement(cpu + RAX, size, value);
  writeIndex(cpu, RSI, mask, si);
  return done < total ? 1 : 0;
}

/** XLAT: the byte at rBX + AL. */
export function translateByte(cpu: usize, rec: usize): u32 {
  const immediate = immediateOf(rec);
  const offset = (load<u64>(cpu + RBX) + <u64>load<u8>(cpu + RAX)) & addressMask(immediate);
  const linear = elementAddress(cpu, rec, sourceSegment(immediate), offset, 1, false);
  if (faulted(cpu)) return 0;
  const host = hostForRead(cpu, rec, linear);
  if (host != 0) return <u32>load<u8>(host);
  return faulted(cpu) ? 0 : <u32>readGuest(cpu, rec, linear, 1);
}
