// SPDX-License-Identifier: Apache-2.0
// Reading descriptors from the GDT and LDT (SDM 3A 3.4.5, 3.5, 8.2.3).
import { CPU_GDTR_BASE, CPU_GDTR_LIMIT } from "../generated/layout";
import { readSystem, writeSystem } from "../memory";
import { VECTOR_SS } from "./bits";
import {
  ATTR_CODE,
  ATTR_CONFORMING,
  ATTR_DB,
  ATTR_L,
  ATTR_P,
  ATTR_S,
  ATTR_TYPE,
  ATTR_UNUSABLE,
  ATTR_WRITABLE,
  attrDpl,
  faulted,
  isLongMode,
  LDTR,
  raise,
  segmentAttr,
  segmentBase,
  segmentLimit,
  setSegment,
} from "./segment";

// Types of system descriptors (SDM 3A table 3-2).
export const TYPE_TSS16: u32 = 1;
export const TYPE_LDT: u32 = 2;
export const TYPE_TSS16_BUSY: u32 = 3;
export const TYPE_CALL_GATE16: u32 = 4;
export const TYPE_TASK_GATE: u32 = 5;
export const TYPE_INTERRUPT_GATE16: u32 = 6;
export const TYPE_TRAP_GATE16: u32 = 7;
/** 32-bit TSS, or the 64-bit one in IA-32e mode; likewise below. */
export const TYPE_TSS: u32 = 9;
export const TYPE_TSS_BUSY: u32 = 11;
export const TYPE_CALL_GATE: u32 = 12;
export const TYPE_INTERRUPT_GATE: u32 = 14;
export const TYPE_TRAP_GATE: u32 = 15;

// The descriptor that was fetched last.
export let descriptorLow: u32 = 0;
export let descriptorHigh: u32 = 0;
/** Its linear address. */
export let descriptorAddress: u64 = 0;

/**
 * Fetches the descriptor of `selector`, which must not be null. Outside its table: `vector` with the selector and
 * `external` (0 or 1, the EXT bit) as error code. False if something was raised.
 */
export function fetchDescriptor(cpu: usize, selector: u32, vector: u32, external: u32): bool {
  let base: u64;
  let limit: u32;
  if ((selector & 4) != 0) {
    if ((segmentAttr(cpu, LDTR) & ATTR_UNUSABLE) != 0) return raise(cpu, vector, (selector & 0xfffc) | external);
    base = segmentBase(cpu, LDTR);
    limit = segmentLimit(cpu, LDTR);
  } else {
    base = load<u64>(cpu, CPU_GDTR_BASE);
    limit = load<u32>(cpu, CPU_GDTR_LIMIT);
  }
  if ((selector | 7) > limit) return raise(cpu, vector, (selector & 0xfffc) | external);
  return fetchDescriptorAt(cpu, base + <u64>(selector & 0xfff8));
}

/** Fetches the 8 bytes of a descriptor from a linear address. */
export function fetchDescriptorAt(cpu: usize, address: u64): bool {
  const whole = readSystem(cpu, tableAddress(cpu, address), 8);
  if (faulted(cpu)) return false;
  descriptorLow = <u32>whole;
  descriptorHigh = <u32>(whole >> 32);
  descriptorAddress = address;
  return true;
}

/** Linear addresses wrap at 4 GiB outside IA-32e mode. */
export function tableAddress(cpu: usize, address: u64): u64 {
  return isLongMode(cpu) ? address : address & 0xffff_ffff;
}

/**
 * Upper half of the 16-byte system descriptor fetched last: bits 32-63 of its base or offset. In the second upper word
 * the type field must be zero (SDM 3A 8.2.3), else `vector`.
 */
export function fetchUpperHalf(cpu: usize, selector: u32, vector: u32, external: u32): u64 {
  const limitBase = (selector & 4) != 0 ? segmentLimit(cpu, LDTR) : load<u32>(cpu, CPU_GDTR_LIMIT);
  if ((selector & 0xfff8) + 15 > limitBase) {
    raise(cpu, vector, (selector & 0xfffc) | external);
    return 0;
  }
  const upper = readSystem(cpu, descriptorAddress + 8, 8);
  if (faulted(cpu)) return 0;
  if (((upper >> 40) & 0x1f) != 0) raise(cpu, vector, (selector & 0xfffc) | external);
  return upper << 32;
}

/** Access rights of the descriptor fetched last, in the form of the segment registers' attr fields. */
export function descriptorAttr(): u32 {
  return (descriptorHigh >> 8) & 0xf0ff;
}

export function descriptorBase(): u64 {
  return <u64>((descriptorLow >> 16) | ((descriptorHigh & 0xff) << 16) | (descriptorHigh & 0xff00_0000));
}

/** Limit in bytes, granularity applied. */
export function descriptorLimit(): u32 {
  const limit = (descriptorLow & 0xffff) | (descriptorHigh & 0xf_0000);
  return (descriptorHigh & 0x80_0000) != 0 ? (limit << 12) | 0xfff : limit;
}

/** Sets the accessed bit of the descriptor fetched last, in memory and in what `descriptorAttr` returns. */
export function markAccessed(cpu: usize): bool {
  if ((descriptorHigh & 0x100) != 0) return true;
  descriptorHigh |= 0x100;
  writeSystem(cpu, tableAddress(cpu, descriptorAddress + 5), 1, <u64>((descriptorHigh >> 8) & 0xff));
  return !faulted(cpu);
}

/** Writes the access byte of a system descriptor, to set or clear its busy bit. */
export function writeAccessByte(cpu: usize, address: u64, access: u32): bool {
  writeSystem(cpu, tableAddress(cpu, address + 5), 1, <u64>access);
  return !faulted(cpu);
}

/** Loads a segment register from the descriptor fetched last. */
export function loadFromDescriptor(cpu: usize, segment: u32, selector: u32): void {
  setSegment(cpu, segment, selector, descriptorBase(), descriptorLimit(), descriptorAttr());
}

export function isCode(attr: u32): bool {
  return (attr & (ATTR_S | ATTR_CODE)) == (ATTR_S | ATTR_CODE);
}

export function isConforming(attr: u32): bool {
  return (attr & ATTR_CONFORMING) != 0;
}

export function isWritableData(attr: u32): bool {
  return (attr & (ATTR_S | ATTR_CODE | ATTR_WRITABLE)) == (ATTR_S | ATTR_WRITABLE);
}

export function isReadable(attr: u32): bool {
  return (attr & ATTR_S) != 0 && (attr & (ATTR_CODE | ATTR_WRITABLE)) != ATTR_CODE;
}

export function isPresent(attr: u32): bool {
  return (attr & ATTR_P) != 0;
}

/** Type of a system descriptor, or 0 (reserved) for code and data. */
export function systemType(attr: u32): u32 {
  return (attr & ATTR_S) != 0 ? 0 : attr & ATTR_TYPE;
}

/** L and D are both set: reserved in IA-32e mode. */
export function isBadLongCode(cpu: usize, attr: u32): bool {
  return isLongMode(cpu) && (attr & (ATTR_L | ATTR_DB)) == (ATTR_L | ATTR_DB);
}

/**
 * The checks of SS and its descriptor, as loaded at privilege level `privilege` (SDM 3A 5.7): `vector` for a bad
 * one, #SS for one that is not present. The selector is not null. Leaves the descriptor fetched and marked accessed.
 */
export function fetchStackSegment(cpu: usize, selector: u32, privilege: u32, vector: u32, external: u32): bool {
  if (!fetchDescriptor(cpu, selector, vector, external)) return false;
  const attr = descriptorAttr();
  const error = (selector & 0xfffc) | external;
  if ((selector & 3) != privilege || attrDpl(attr) != privilege || !isWritableData(attr))
    return raise(cpu, vector, error);
  if (!isPresent(attr)) return raise(cpu, VECTOR_SS, error);
  return markAccessed(cpu);
}
