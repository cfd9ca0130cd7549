// SPDX-License-Identifier: Apache-2.0
// What the string instructions share: registers of the address size, addresses, runs of elements within a page.
import { CPU_BUDGET, CPU_EFLAGS, CPU_ES_BASE, CPU_FAULT, CPU_GPR, CPU_MODE_KEY, CPU_TLB_BASE, EMPTY_TLB, RECORD_IMMEDIATE, SEGMENT_STRIDE } from "../generated/layout";
import { segmentAddress } from "../system/stack";

export const RAX: usize = CPU_GPR;
export const RCX: usize = CPU_GPR + 8;
export const RBX: usize = CPU_GPR + 24;
export const RSI: usize = CPU_GPR + 48;
export const RDI: usize = CPU_GPR + 56;

/** Bytes that one call may process before it lets interrupts in. */
export const WORK_LIMIT: u32 = 0x1_0000;
/** Bits of the record's immediate. */
export const REPE: u32 = 4;
export const REPNE: u32 = 8;

const ES: u32 = 0;
const FS: u32 = 4;
const CODE_SIZE_MASK: u32 = 3;
const CODE_64: u32 = 2;
const FLAT: u32 = 8;
const STEP: u32 = 128;
const DIRECTION: u32 = 0x400;
const PAGE_SIZE: u32 = 0x1000;

/** Repeat prefixes, address size and segment of a record; see the record's description in the engine. */
export function immediateOf(rec: usize): u32 {
  return load<u32>(rec + RECORD_IMMEDIATE);
}

/** All ones in the width of the addresses. */
export function addressMask(immediate: u32): u64 {
  const size = immediate & 3;
  return size == 2 ? 0xffff_ffff_ffff_ffff : size == 1 ? 0xffff_ffff : 0xffff;
}

/** Writes a count or index register in the address width: 32-bit writes clear the upper half. */
export function writeIndex(cpu: usize, register: usize, mask: u64, value: u64): void {
  if (mask == 0xffff) store<u16>(cpu + register, <u16>value);
  else store<u64>(cpu + register, value & mask);
}

/** Iterations that cost as much of the budget as one instruction. */
const ITERATIONS_PER_INSTRUCTION: u64 = 8;

/** Takes `done` iterations off `count` and writes rCX; they also come off the budget, so that none can last for ever. */
export function retireIterations(cpu: usize, mask: u64, count: u64, done: u64): void {
  writeIndex(cpu, RCX, mask, count - done);
  store<u32>(cpu + CPU_BUDGET, load<u32>(cpu + CPU_BUDGET) - <u32>(done / ITERATIONS_PER_INSTRUCTION));
}

export function isForward(cpu: usize): bool {
  return (load<u32>(cpu + CPU_EFLAGS) & DIRECTION) == 0;
}

/** Elements that one call may process: a single one while every iteration is to be trapped. */
export function iterationLimit(cpu: usize, size: u32): u64 {
  return (load<u32>(cpu + CPU_MODE_KEY) & STEP) != 0 ? 1 : <u64>(WORK_LIMIT / size);
}

/** Whether addresses in `segment` need limit and type checks. */
function isChecked(cpu: usize, segment: u32): bool {
  const mode = load<u32>(cpu + CPU_MODE_KEY);
  return (mode & CODE_SIZE_MASK) != CODE_64 && ((mode & FLAT) == 0 || segment >= FS);
}

/** Linear address of an element; #GP or #SS in CPU_FAULT if the segment forbids it. */
export function elementAddress(cpu: usize, rec: usize, segment: u32, offset: u64, size: u32, write: bool): u64 {
  const base = CPU_ES_BASE + <usize>segment * SEGMENT_STRIDE;
  if (isChecked(cpu, segment)) return segmentAddress(cpu, rec, <u32>base, offset, size | (write ? 0x100 : 0));
  return segment >= FS ? load<u64>(cpu + base) + offset : offset;
}

export function sourceSegment(immediate: u32): u32 {
  return (immediate >> 8) & 0xff;
}

export const DESTINATION_SEGMENT: u32 = ES;

/**
 * How many elements from `linear` on, at most `most`, lie in one page, do not wrap around the address size, and are
 * allowed by the segment. The first one is allowed already. 0 if the first one straddles two pages, or if every access
 * must be checked by itself (alignment, data breakpoints).
 */
export function runLength(
  cpu: usize, rec: usize, segment: u32, offset: u64, linear: u64, mask: u64, size: u32, forward: bool, write: bool, most: u64,
): u64 {
  const inPage = <u32>linear & (PAGE_SIZE - 1);
  if (inPage + size > PAGE_SIZE || load<u32>(cpu + CPU_TLB_BASE) == <u32>EMPTY_TLB) return 0;
  let elements: u64 = forward ? (PAGE_SIZE - inPage) / size : inPage / size + 1;
  if (elements > most) elements = most;
  if (forward) {
    const room = mask - offset;
    if (room < 0x1_0000 && elements * size > room + 1) elements = (room + 1) / size;
  } else if (offset / size + 1 < elements) elements = offset / size + 1;
  if (elements > 1 && isChecked(cpu, segment)) {
    const distance = (elements - 1) * size;
    elementAddress(cpu, rec, segment, forward ? offset + distance : offset - distance, size, write);
    if (load<u32>(cpu + CPU_FAULT) != 0) {
      // The segment ends within this run: element by element, the fault comes at the right one.
      store<u32>(cpu + CPU_FAULT, 0);
      return 1;
    }
  }
  return elements;
}

export function loadElement(host: usize, size: u32): u64 {
  if (size == 1) return <u64>load<u8>(host);
  if (size == 2) return <u64>load<u16>(host);
  if (size == 4) return <u64>load<u32>(host);
  return load<u64>(host);
}

export function storeElement(host: usize, size: u32, value: u64): void {
  if (size == 1) store<u8>(host, <u8>value);
  else if (size == 2) store<u16>(host, <u16>value);
  else if (size == 4) store<u32>(host, <u32>value);
  else store<u64>(host, value);
}
