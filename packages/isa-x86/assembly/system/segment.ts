// SPDX-License-Identifier: Apache-2.0
// The hidden parts of the segment registers, and the questions that everybody asks about the current mode.
import {
  CPU_CPL,
  CPU_CR0,
  CPU_CS_ATTR,
  CPU_EFER,
  CPU_EFLAGS,
  CPU_ES_ATTR,
  CPU_ES_BASE,
  CPU_ES_LIMIT,
  CPU_ES_SEL,
  CPU_FAULT,
  CPU_FAULT_ERROR,
  CPU_SS_ATTR,
  SEGMENT_STRIDE,
} from "../generated/layout";
import { CR0_PE, EFER_LMA, FLAG_VM } from "./bits";

export const ES: u32 = 0;
export const CS: u32 = 1;
export const SS: u32 = 2;
export const DS: u32 = 3;
export const FS: u32 = 4;
export const GS: u32 = 5;
export const LDTR: u32 = 6;
export const TR: u32 = 7;

const BASE: usize = 0;
const LIMIT: usize = CPU_ES_LIMIT - CPU_ES_BASE;
const ATTR: usize = CPU_ES_ATTR - CPU_ES_BASE;
const SEL: usize = CPU_ES_SEL - CPU_ES_BASE;

// Access rights as kept in the attr fields: bits 8-23 of the descriptor's upper word (SDM 3A 3.4.5).
export const ATTR_TYPE: u32 = 0xf;
/** Data: writable. Code: readable. */
export const ATTR_WRITABLE: u32 = 2;
/** Data: expand-down. Code: conforming. */
export const ATTR_CONFORMING: u32 = 4;
export const ATTR_CODE: u32 = 8;
/** Code or data, not a system descriptor. */
export const ATTR_S: u32 = 0x10;
export const ATTR_DPL_SHIFT: u32 = 5;
export const ATTR_P: u32 = 0x80;
export const ATTR_L: u32 = 0x2000;
export const ATTR_DB: u32 = 0x4000;
const ATTR_G: u32 = 0x8000;
export const ATTR_UNUSABLE: u32 = 0x10000;

function fields(cpu: usize, segment: u32): usize {
  return cpu + CPU_ES_BASE + <usize>segment * SEGMENT_STRIDE;
}

export function segmentBase(cpu: usize, segment: u32): u64 {
  return load<u64>(fields(cpu, segment), BASE);
}

export function segmentLimit(cpu: usize, segment: u32): u32 {
  return load<u32>(fields(cpu, segment), LIMIT);
}

export function segmentAttr(cpu: usize, segment: u32): u32 {
  return load<u32>(fields(cpu, segment), ATTR);
}

export function segmentSelector(cpu: usize, segment: u32): u32 {
  return load<u32>(fields(cpu, segment), SEL);
}

export function setSegment(cpu: usize, segment: u32, selector: u32, base: u64, limit: u32, attr: u32): void {
  const at = fields(cpu, segment);
  store<u64>(at, base, BASE);
  store<u32>(at, limit, LIMIT);
  store<u32>(at, attr, ATTR);
  store<u32>(at, selector, SEL);
}

/** What real and virtual-8086 mode do to a segment register. Real mode keeps limit and size, so "unreal" mode works. */
export function setRealSegment(cpu: usize, segment: u32, selector: u32): void {
  const at = fields(cpu, segment);
  store<u64>(at, (<u64>selector) << 4, BASE);
  store<u32>(at, selector, SEL);
  if (isVirtual8086(cpu)) {
    store<u32>(at, 0xffff, LIMIT);
    store<u32>(at, 0xf3, ATTR);
  } else {
    const old = load<u32>(at, ATTR);
    if ((old & ATTR_UNUSABLE) != 0) store<u32>(at, 0xffff, LIMIT);
    store<u32>(at, (old & (ATTR_DB | ATTR_G)) | 0x93, ATTR);
  }
}

/** A data segment register loaded with a null selector; SS keeps the privilege level in its DPL. */
export function setNullSegment(cpu: usize, segment: u32, selector: u32): void {
  const dpl: u32 = segment == SS ? (selector & 3) << ATTR_DPL_SHIFT : 0;
  setSegment(cpu, segment, selector, 0, 0, ATTR_UNUSABLE | dpl);
}

export function attrDpl(attr: u32): u32 {
  return (attr >> ATTR_DPL_SHIFT) & 3;
}

export function isProtected(cpu: usize): bool {
  return (load<u64>(cpu, CPU_CR0) & CR0_PE) != 0;
}

export function isVirtual8086(cpu: usize): bool {
  return (load<u32>(cpu, CPU_EFLAGS) & FLAG_VM) != 0;
}

/** Segment registers hold descriptors: protected mode, but not virtual-8086 mode. */
export function usesDescriptors(cpu: usize): bool {
  return isProtected(cpu) && !isVirtual8086(cpu);
}

/** IA-32e mode: 64-bit or compatibility. */
export function isLongMode(cpu: usize): bool {
  return (load<u64>(cpu, CPU_EFER) & EFER_LMA) != 0;
}

export function is64Bit(cpu: usize): bool {
  return isLongMode(cpu) && (load<u32>(cpu, CPU_CS_ATTR) & ATTR_L) != 0;
}

export function currentPrivilege(cpu: usize): u32 {
  return load<u32>(cpu, CPU_CPL);
}

export function isCanonical(address: u64): bool {
  return <u64>(<i64>(address << 16) >> 16) == address;
}

/** Bits of RSP that the current stack uses. */
export function stackMask(cpu: usize): u64 {
  if (is64Bit(cpu)) return <u64>-1;
  return (load<u32>(cpu, CPU_SS_ATTR) & ATTR_DB) != 0 ? 0xffff_ffff : 0xffff;
}

/** Records an exception; always false, so that checks can be written `return raise(...)`. */
export function raise(cpu: usize, vector: u32, error: u32): bool {
  store<u32>(cpu, vector + 1, CPU_FAULT);
  store<u32>(cpu, error, CPU_FAULT_ERROR);
  return false;
}

export function faulted(cpu: usize): bool {
  return load<u32>(cpu, CPU_FAULT) != 0;
}
