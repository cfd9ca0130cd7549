// SPDX-License-Identifier: Apache-2.0
// PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (SDM 2, section 4.1): strings in slots 0 and 1.
import { slot0, slot1 } from "./result";

const CF: u32 = 1;
const ZF: u32 = 1 << 6;
const SF: u32 = 1 << 7;
const OF: u32 = 1 << 11;

const EQUAL_ANY: u32 = 0;
const RANGES: u32 = 1;
const EQUAL_EACH: u32 = 2;

/** Element i, sign-extended where imm[1] says signed. */
function element(slot: usize, imm: u32, i: u32): i32 {
  switch (imm & 3) {
    case 0:
      return <i32>load<u8>(slot + i);
    case 1:
      return <i32>load<u16>(slot + (i << 1));
    case 2:
      return <i32>load<i8>(slot + i);
    default:
      return <i32>load<i16>(slot + (i << 1));
  }
}

function capacity(imm: u32): u32 {
  return (imm & 1) != 0 ? 8 : 16;
}

/** Elements in front of the first zero. */
function terminatedLength(slot: usize, imm: u32): u32 {
  const n = capacity(imm);
  let i: u32 = 0;
  while (i < n && element(slot, imm, i) != 0) i++;
  return i;
}

/** Absolute value of a length register, limited to the capacity. */
function limitedLength(length: i64, imm: u32): u32 {
  const n = <i64>capacity(imm);
  // The most negative number is its own negative, and as unsigned it is large too.
  const magnitude = <u64>(length < 0 ? 0 - length : length);
  return <u32>(magnitude > <u64>n ? <u64>n : magnitude);
}

/** Whether element j of b, which is inside b, is in the set or in one of the ranges that a holds. */
function inSet(cpu: usize, imm: u32, lengthA: u32, j: u32): bool {
  const value = element(slot1(cpu), imm, j);
  if (((imm >> 2) & 3) == EQUAL_ANY) {
    for (let i: u32 = 0; i < lengthA; i++) if (element(slot0(cpu), imm, i) == value) return true;
    return false;
  }
  for (let i: u32 = 0; i + 1 < lengthA; i += 2)
    if (element(slot0(cpu), imm, i) <= value && value <= element(slot0(cpu), imm, i + 1)) return true;
  return false;
}

/** Whether a is found in b at j, as far as the vector goes. */
function foundAt(cpu: usize, imm: u32, lengthA: u32, lengthB: u32, j: u32): bool {
  const n = capacity(imm);
  for (let i: u32 = 0; i < lengthA && i + j < n; i++)
    if (i + j >= lengthB || element(slot0(cpu), imm, i) != element(slot1(cpu), imm, i + j)) return false;
  return true;
}

function matches(cpu: usize, imm: u32, lengthA: u32, lengthB: u32, j: u32): bool {
  const aggregation = (imm >> 2) & 3;
  if (aggregation == EQUAL_ANY || aggregation == RANGES) return j < lengthB && inSet(cpu, imm, lengthA, j);
  if (aggregation == EQUAL_EACH) {
    if (j >= lengthA || j >= lengthB) return j >= lengthA && j >= lengthB;
    return element(slot0(cpu), imm, j) == element(slot1(cpu), imm, j);
  }
  return foundAt(cpu, imm, lengthA, lengthB, j);
}

/** IntRes2: one bit an element of b. */
function compare(cpu: usize, imm: u32, lengthA: u32, lengthB: u32): u32 {
  const n = capacity(imm);
  let result: u32 = 0;
  for (let j: u32 = 0; j < n; j++) if (matches(cpu, imm, lengthA, lengthB, j)) result |= (<u32>1) << j;
  if ((imm & 0x10) == 0) return result;
  // Negative polarity: all bits, or with imm[5] only those of elements inside b.
  return result ^ (((<u32>1) << ((imm & 0x20) != 0 ? lengthB : n)) - 1);
}

function flagsOf(imm: u32, result: u32, lengthA: u32, lengthB: u32): u32 {
  const n = capacity(imm);
  let flags: u32 = result != 0 ? CF : 0;
  if (lengthB < n) flags |= ZF;
  if (lengthA < n) flags |= SF;
  if ((result & 1) != 0) flags |= OF;
  return flags << 16;
}

/** Index of the first or last (imm[6]) bit, or the capacity if there is none; EFLAGS in bits 16-31. */
function index(cpu: usize, imm: u32, lengthA: u32, lengthB: u32): u32 {
  const result = compare(cpu, imm, lengthA, lengthB);
  const position: u32 = result == 0 ? capacity(imm) : (imm & 0x40) != 0 ? 31 - clz<u32>(result) : ctz<u32>(result);
  return position | flagsOf(imm, result, lengthA, lengthB);
}

/** Leaves bits, or with imm[6] whole elements, in slot 0; returns EFLAGS in bits 16-31. */
function mask(cpu: usize, imm: u32, lengthA: u32, lengthB: u32): u32 {
  const result = compare(cpu, imm, lengthA, lengthB);
  const d = slot0(cpu);
  if ((imm & 0x40) == 0) {
    store<u64>(d, <u64>result);
    store<u64>(d, 0, 8);
  } else if ((imm & 1) != 0) {
    for (let i: u32 = 0; i < 8; i++) store<u16>(d + (i << 1), ((result >> i) & 1) != 0 ? 0xffff : 0);
  } else {
    for (let i: u32 = 0; i < 16; i++) store<u8>(d + i, ((result >> i) & 1) != 0 ? 0xff : 0);
  }
  return flagsOf(imm, result, lengthA, lengthB);
}

/** PCMPESTRI; lengths as the registers hold them, sign-extended. */
export function explicitStringIndex(cpu: usize, imm: u32, lengthA: i64, lengthB: i64): u32 {
  return index(cpu, imm, limitedLength(lengthA, imm), limitedLength(lengthB, imm));
}

/** PCMPESTRM */
export function explicitStringMask(cpu: usize, imm: u32, lengthA: i64, lengthB: i64): u32 {
  return mask(cpu, imm, limitedLength(lengthA, imm), limitedLength(lengthB, imm));
}

/** PCMPISTRI */
export function implicitStringIndex(cpu: usize, imm: u32): u32 {
  return index(cpu, imm, terminatedLength(slot0(cpu), imm), terminatedLength(slot1(cpu), imm));
}

/** PCMPISTRM */
export function implicitStringMask(cpu: usize, imm: u32): u32 {
  return mask(cpu, imm, terminatedLength(slot0(cpu), imm), terminatedLength(slot1(cpu), imm));
}
