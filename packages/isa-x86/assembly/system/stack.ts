// SPDX-License-Identifier: Apache-2.0
// Linear addresses through segments, and the stack of code that runs with general segmentation.
import {
  CPU_ES_BASE,
  CPU_GPR,
  CPU_CS_LIMIT,
  HANDLER_ADDRESS_SEGMENTED,
  RECORD_PAGE_OFFSET,
  RECORD_REG,
  RECORD_SIZE,
  SEGMENT_STRIDE,
} from "../generated/layout";
import { readGuest, writeGuest } from "../memory";
import { VECTOR_GP, VECTOR_SS } from "./bits";
import { isReadable, isWritableData } from "./descriptor";
import {
  ATTR_CODE,
  ATTR_CONFORMING,
  ATTR_DB,
  ATTR_UNUSABLE,
  faulted,
  FS,
  is64Bit,
  raise,
  segmentAttr,
  segmentBase,
  segmentLimit,
  SS,
  stackMask,
  usesDescriptors,
} from "./segment";

const RSP: usize = CPU_GPR + 4 * 8;
/** Beside the byte count for readGuest and writeGuest: a non-canonical address is #SS, not #GP. */
const STACK_ACCESS: u32 = 0x100;

/** Whether `bytes` at `offset` lie inside a segment with this limit and these rights (SDM 3A 5.3). */
export function withinLimit(offset: u32, bytes: u32, limit: u32, attr: u32): bool {
  const last = offset + (bytes - 1);
  // Expand-down data: valid offsets lie above the limit.
  if ((attr & (ATTR_CODE | ATTR_CONFORMING)) == ATTR_CONFORMING) {
    const top: u32 = (attr & ATTR_DB) != 0 ? 0xffff_ffff : 0xffff;
    return offset > limit && last >= offset && last <= top;
  }
  if (limit == 0xffff_ffff) return true;
  return last >= offset && last <= limit;
}

function inSegment(cpu: usize, segment: u32, offset: u64, bytes: u32, write: bool): u64 {
  if (is64Bit(cpu)) return offset + (segment >= FS ? segmentBase(cpu, segment) : 0);
  const attr = segmentAttr(cpu, segment);
  let allowed = (attr & ATTR_UNUSABLE) == 0;
  if (allowed && usesDescriptors(cpu)) allowed = write ? isWritableData(attr) : isReadable(attr);
  if (!allowed || !withinLimit(<u32>offset, bytes, segmentLimit(cpu, segment), attr)) {
    raise(cpu, segment == SS ? VECTOR_SS : VECTOR_GP, 0);
    return 0;
  }
  return (segmentBase(cpu, segment) + offset) & 0xffff_ffff;
}

/**
 * Linear address of `offset` in the segment whose base field is `segmentOffset` bytes into the CPU record. Raises
 * #GP(0), or #SS(0) for SS, if limit, type or a null selector forbid the access.
 * @param bytesAndWrite bits 0-7: bytes accessed (0 counts as 1), bit 8: write
 */
export function segmentAddress(cpu: usize, rec: usize, segmentOffset: u32, offset: u64, bytesAndWrite: u32): u64 {
  const segment = (segmentOffset - <u32>CPU_ES_BASE) / <u32>SEGMENT_STRIDE;
  const bytes = bytesAndWrite & 0xff;
  return inSegment(cpu, segment, offset, bytes == 0 ? 1 : bytes, (bytesAndWrite & 0x100) != 0);
}

/**
 * For an instruction that decides to write only after it has read: raises #GP(0) or #SS(0) if the segment that the
 * address record in front of `rec` used is not writable. Flat data segments have no such record and are writable.
 */
export function checkSegmentWritable(cpu: usize, rec: usize): void {
  const address = rec - RECORD_SIZE;
  if (load<u32>(address) != HANDLER_ADDRESS_SEGMENTED || load<u16>(address, RECORD_PAGE_OFFSET) != load<u16>(rec, RECORD_PAGE_OFFSET)) return;
  const segment = (<u32>load<u16>(address, RECORD_REG) - <u32>CPU_ES_BASE) / <u32>SEGMENT_STRIDE;
  if (!isWritableData(segmentAttr(cpu, segment))) raise(cpu, segment == SS ? VECTOR_SS : VECTOR_GP, 0);
}

/** Writes the stack pointer in the width `mask` that the stack has. */
export function setStackPointer(cpu: usize, value: u64, mask: u64): void {
  if (mask == 0xffff) store<u16>(cpu, <u16>value, RSP);
  else store<u64>(cpu, value & mask, RSP);
}

/** Stack pointer plus `bytes`, wrapped to the width of the stack. */
export function stackOffset(cpu: usize, bytes: i64): u64 {
  return (load<u64>(cpu, RSP) + bytes) & stackMask(cpu);
}

/** Reads `bytes` that lie `skip` bytes above the top of the stack, with current privilege, in any mode. */
export function peekSegmented(cpu: usize, rec: usize, bytes: u32, skip: u32): u64 {
  const linear = inSegment(cpu, SS, stackOffset(cpu, skip), bytes, false);
  return faulted(cpu) ? 0 : readGuest(cpu, rec, linear, bytes | STACK_ACCESS);
}

/** Pushes `value`; nothing has changed if it faults. */
export function pushSegmented(cpu: usize, rec: usize, bytes: u32, value: u64): void {
  const top = stackOffset(cpu, -(<i64>bytes));
  const linear = inSegment(cpu, SS, top, bytes, true);
  if (faulted(cpu)) return;
  writeGuest(cpu, rec, linear, bytes | STACK_ACCESS, value);
  if (!faulted(cpu)) setStackPointer(cpu, top, stackMask(cpu));
}

/**
 * PUSH Sreg: with a 32-bit operand only the selector is written and the upper half of the stack slot stays, as recent
 * processors do it (SDM 2B PUSH).
 */
export function pushSelector(cpu: usize, rec: usize, bytes: u32, selector: u32): void {
  const top = stackOffset(cpu, -(<i64>bytes));
  const written: u32 = bytes == 4 ? 2 : bytes;
  const linear = inSegment(cpu, SS, top, written, true);
  if (faulted(cpu)) return;
  writeGuest(cpu, rec, linear, written | STACK_ACCESS, <u64>selector);
  if (!faulted(cpu)) setStackPointer(cpu, top, stackMask(cpu));
}

/** Adds `bytes`, taken as signed, to the stack pointer. */
export function adjustStackSegmented(cpu: usize, bytes: u32): void {
  setStackPointer(cpu, stackOffset(cpu, <i64>(<i32>bytes)), stackMask(cpu));
}

/** #GP(0) if `eip` is outside the code segment. */
export function checkCodeLimit(cpu: usize, rec: usize, eip: u32): void {
  if (!is64Bit(cpu) && eip > load<u32>(cpu, CPU_CS_LIMIT)) raise(cpu, VECTOR_GP, 0);
}
