// SPDX-License-Identifier: Apache-2.0
// Accesses of AVX that go element by element: masked moves and gathers. Elements of 4 or 8 bytes whose mask has its most
// significant bit set are accessed, the others are not, so that they cannot fault.
import { CPU_ES_BASE, CPU_FAULT, CPU_SCRATCH, RECORD_SCALE, SEGMENT_STRIDE } from "../generated/layout";
import { checkWrite, hostForRead, hostForWrite, readGuest, writeGuest } from "../memory";
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

/** Reads an element; CPU_FAULT tells of a fault. */
function readElement(cpu: usize, rec: usize, linear: u64, width: u32): u64 {
  if ((<u32>linear & 0xfff) + width <= 0x1000) {
    const host = hostForRead(cpu, rec, linear);
    if (host != 0) return width == 8 ? load<u64>(host) : <u64>load<u32>(host);
    if (faulted(cpu)) return 0;
  }
  return readGuest(cpu, rec, linear, width);
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

/** VMASKMOV, VPMASKMOV stores of slot 0, the mask in slot 1. Nothing is written if there is a fault. */
export function maskedStoreElements(cpu: usize, rec: usize, parts: u32, offset: u64, width: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const at = <usize>(i * width);
    if (!isSelected(slot1(cpu) + at, width)) continue;
    const linear = linearAddress(cpu, rec, parts, offset + at, width | WRITE);
    if (faulted(cpu)) return;
    const inPage = (<u32>linear & 0xfff) + width <= 0x1000;
    if (inPage && hostForWrite(cpu, rec, linear) != 0) continue;
    if (faulted(cpu) || !checkWrite(cpu, rec, linear, width)) return;
  }
  for (let i: u32 = 0; i < count; i++) {
    const at = <usize>(i * width);
    if (!isSelected(slot1(cpu) + at, width)) continue;
    const linear = linearAddress(cpu, rec, parts, offset + at, width | WRITE);
    const host: usize = (<u32>linear & 0xfff) + width <= 0x1000 ? hostForWrite(cpu, rec, linear) : 0;
    const value = width == 8 ? load<u64>(slot0(cpu) + at) : <u64>load<u32>(slot0(cpu) + at);
    if (host != 0) put(host, width, value);
    else writeGuest(cpu, rec, linear, width, value);
  }
}

/**
 * Gathers: `count` elements from offset + index * scale (the record's) to slot 0; mask in slot 1, indices in slot 2. After
 * a fault in element i, elements below i are done and their masks clear; elements from i on keep theirs.
 */
export function gather(
  cpu: usize,
  rec: usize,
  parts: u32,
  offset: u64,
  width: u32,
  indexWidth: u32,
  count: u32,
): void {
  const indices = cpu + CPU_SCRATCH + 2 * SLOT;
  const scale = load<u8>(rec + RECORD_SCALE);
  for (let i: u32 = 0; i < count; i++) {
    const mask = slot1(cpu) + <usize>(i * width);
    const selected = isSelected(mask, width);
    put(mask, width, selected ? ~(<u64>0) : 0);
  }
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
  }
  // Gathers of fewer elements than fit 128 bits clear the rest.
  for (let at = <usize>(count * width); at < 16; at += 4) {
    store<u32>(slot0(cpu) + at, 0);
    store<u32>(slot1(cpu) + at, 0);
  }
}
