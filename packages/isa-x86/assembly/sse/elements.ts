// SPDX-License-Identifier: Apache-2.0
// Accesses of AVX that go element by element: masked moves and gathers. Elements of 4 or 8 bytes whose mask has its most
// significant bit set are accessed, the others are not, so that they cannot fault.
import { CPU_ES_BASE, CPU_FAULT, CPU_SCRATCH, RECORD_SCALE, SEGMENT_STRIDE } from "../generated/layout";
import { checkWrite, hostForRead, hostForWrite, readGuest, UNALIGNED, writeGuest } from "../memory";
import { segmentAddress } from "../system/stack";
import { SLOT, slot0, slot1 } from "./result";

/** Bit of `segmentAddress`: the access is a write. */
const WRITE: u32 = 0x100;

/** Linear address of an element; may raise a fault. `parts`: address size in bits 0-1, segment in bits 8-10. */
function linearAddress(cpu: usize, rec: usize, parts: u32, offset: u64, bytesAndWrite: u32): u64 {
  const size = parts & 3;
  const mask: u64 = size == 0 ? 0xffff : size == 1 ? 0xffff_ffff : ~(<u64>0);
  const base = CPU_ES_BASE + <usize>((parts >> 8) & 7) * SEGMENT_STRIDE;
  return segmentAddress(cpu, rec, <u32>base, offset & mask, bytesAndWrite);
}

function faulted(cpu: usize): bool {
  return load<u32>(cpu + CPU_FAULT) != 0;
}

function isSelected(mask: usize, width: u32): bool {
  return width == 8 ? load<i64>(mask) < 0 : load<i32>(mask) < 0;
}

function put(to: usize, width: u32, value: u64): void {
  if (width == 8) store<u64>(to, value);
  else store<u32>(to, <u32>value);
}

/** Reads 4 or 8 bytes that alignment checks do not apply to; CPU_FAULT tells of a fault. */
export function readElement(cpu: usize, rec: usize, linear: u64, width: u32): u64 {
  if ((<u32>linear & 0xfff) + width <= 0x1000) {
    const host = hostForRead(cpu, rec, linear);
    if (host != 0) return width == 8 ? load<u64>(host) : <u64>load<u32>(host);
    if (faulted(cpu)) return 0;
  }
  return readGuest(cpu, rec, linear, width | UNALIGNED);
}

/** Writes like {@link readElement} reads. */
export function writeElement(cpu: usize, rec: usize, linear: u64, width: u32, value: u64): void {
  if ((<u32>linear & 0xfff) + width <= 0x1000) {
    const host = hostForWrite(cpu, rec, linear);
    if (host != 0) put(host, width, value);
    if (host != 0 || faulted(cpu)) return;
  }
  writeGuest(cpu, rec, linear, width | UNALIGNED, value);
}

/** VMASKMOV, VPMASKMOV loads: `count` elements to slot 0, the mask in slot 1. */
export function maskedLoad(cpu: usize, rec: usize, parts: u32, offset: u64, width: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const at = <usize>(i * width);
    let value: u64 = 0;
    if (isSelected(slot1(cpu) + at, width)) {
      const linear = linearAddress(cpu, rec, parts, offset + at, width);
      if (faulted(cpu)) return;
      value = readElement(cpu, rec, linear, width);
      if (faulted(cpu)) return;
    }
    put(slot0(cpu) + at, width, value);
  }
}

/**
 * VMASKMOV, VPMASKMOV stores of slot 0, the mask in slot 1. Nothing is written if there is a fault. If the selected
 * elements extend over two pages, processors look up the second one by the last byte.
 */
export function maskedStoreElements(cpu: usize, rec: usize, parts: u32, offset: u64, width: u32, count: u32): void {
  let first: u64 = 0;
  let last: u64 = 0;
  let any = false;
  for (let i: u32 = 0; i < count; i++) {
    const at = <usize>(i * width);
    if (!isSelected(slot1(cpu) + at, width)) continue;
    const linear = linearAddress(cpu, rec, parts, offset + at, width | WRITE);
    if (faulted(cpu)) return;
    if (!any) first = linear;
    last = linear + width - 1;
    any = true;
  }
  if (!any) return;
  if (!checkWrite(cpu, rec, first, 1)) return;
  if (((first ^ last) & ~(<u64>0xfff)) != 0 && !checkWrite(cpu, rec, last, 1)) return;
  for (let i: u32 = 0; i < count; i++) {
    const at = <usize>(i * width);
    if (!isSelected(slot1(cpu) + at, width)) continue;
    const linear = linearAddress(cpu, rec, parts, offset + at, width | WRITE);
    writeElement(cpu, rec, linear, width, width == 8 ? load<u64>(slot0(cpu) + at) : <u64>load<u32>(slot0(cpu) + at));
  }
}

/** Clears the bytes of a 32-byte vector from `from` on. */
function clearFrom(vector: usize, from: u32): void {
  for (let at = from; at < 32; at += 4) store<u32>(vector + at, 0);
}

/**
 * Gathers: `count` elements from offset + index * scale (the record's) to slot 0; mask in slot 1, indices in slot 2;
 * `size` = bytes of the destination, `length` = of the vectors that VEX.L names. After a fault the elements in front of
 * it are done and their masks clear; the bits above the destination are cleared with its first element.
 */
export function gather(
  cpu: usize,
  rec: usize,
  parts: u32,
  offset: u64,
  width: u32,
  indexWidth: u32,
  count: u32,
  size: u32,
  length: u32,
): void {
  const indices = cpu + CPU_SCRATCH + 2 * SLOT;
  const scale = load<u8>(rec + RECORD_SCALE);
  for (let at: u32 = 0; at < length; at += width) {
    const mask = slot1(cpu) + at;
    put(mask, width, isSelected(mask, width) ? ~(<u64>0) : 0);
  }
  clearFrom(slot1(cpu), length);
  for (let i: u32 = 0; i < count; i++) {
    const mask = slot1(cpu) + <usize>(i * width);
    if (!isSelected(mask, width)) continue;
    const at = indices + <usize>(i * indexWidth);
    const index: i64 = indexWidth == 8 ? load<i64>(at) : <i64>load<i32>(at);
    const linear = linearAddress(cpu, rec, parts, offset + <u64>(index << scale), width);
    if (faulted(cpu)) return;
    const value = readElement(cpu, rec, linear, width);
    if (faulted(cpu)) return;
    put(slot0(cpu) + <usize>(i * width), width, value);
    put(mask, width, 0);
    clearFrom(slot0(cpu), size);
  }
  clearFrom(slot0(cpu), count * width);
  clearFrom(slot1(cpu), 0);
}
