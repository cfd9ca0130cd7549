// SPDX-License-Identifier: Apache-2.0
// PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (SDM 2, section 4.1): strings a and b in slots 0 and 1. Comparisons of one
// element of a with all elements of b are vector operations that give one bit an element of b.
import { slot0, slot1 } from "./result";

const CF: u32 = 1;
const ZF: u32 = 1 << 6;
const SF: u32 = 1 << 7;
const OF: u32 = 1 << 11;

/** imm[1:0]: format of elements. */
const WORDS: u32 = 1;
const SIGNED: u32 = 2;
/** imm[3:2]: aggregation. */
const AGGREGATION: u32 = 12;
const EQUAL_ANY: u32 = 0;
const RANGES: u32 = 4;
const EQUAL_EACH: u32 = 8;
/** imm[6:4]: polarity, and which bit or which shape of mask. */
const NEGATIVE: u32 = 16;
const MASKED: u32 = 32;
const LAST_OR_WIDE: u32 = 64;

function capacity(imm: u32): u32 {
  return (imm & WORDS) != 0 ? 8 : 16;
}

/** Bits 0 to n - 1. */
function below(n: u32): u32 {
  return ((<u32>1) << n) - 1;
}

/** Element i of a in all lanes. */
function spread(cpu: usize, imm: u32, i: u32): v128 {
  const a = slot0(cpu);
  return (imm & WORDS) != 0 ? i16x8.splat(load<i16>(a + (i << 1))) : i8x16.splat(load<i8>(a + i));
}

/** One bit an element that is equal in both vectors. */
function equal(imm: u32, x: v128, y: v128): u32 {
  return (imm & WORDS) != 0 ? i16x8.bitmask(i16x8.eq(x, y)) : i8x16.bitmask(i8x16.eq(x, y));
}

/** One bit an element of x that is not greater than that of y. */
function notGreater(imm: u32, x: v128, y: v128): u32 {
  switch (imm & (WORDS | SIGNED)) {
    case 0:
      return i8x16.bitmask(i8x16.le_u(x, y));
    case WORDS:
      return i16x8.bitmask(i16x8.le_u(x, y));
    case SIGNED:
      return i8x16.bitmask(i8x16.le_s(x, y));
    default:
      return i16x8.bitmask(i16x8.le_s(x, y));
  }
}

/** Elements in front of the first zero. */
function terminatedLength(slot: usize, imm: u32): u32 {
  return ctz<u32>(equal(imm, v128.load(slot), i64x2.splat(0)) | ((<u32>1) << capacity(imm)));
}

/** Absolute value of a length register, limited to the capacity. */
function limitedLength(length: i64, imm: u32): u32 {
  // The most negative number is its own negative, and as unsigned it is large too.
  const magnitude = <u64>(length < 0 ? 0 - length : length);
  return <u32>min<u64>(magnitude, <u64>capacity(imm));
}

/** IntRes1: one bit an element of b. */
function aggregate(cpu: usize, imm: u32, lengthA: u32, lengthB: u32): u32 {
  const all = below(capacity(imm));
  const validB = below(lengthB);
  const b = v128.load(slot1(cpu));
  let result: u32 = 0;
  switch (imm & AGGREGATION) {
    case EQUAL_ANY:
      for (let i: u32 = 0; i < lengthA; i++) result |= equal(imm, b, spread(cpu, imm, i));
      return result & validB;
    case RANGES:
      for (let i: u32 = 0; i + 1 < lengthA; i += 2)
        result |= notGreater(imm, spread(cpu, imm, i), b) & notGreater(imm, b, spread(cpu, imm, i + 1));
      return result & validB;
    case EQUAL_EACH:
      // Two elements outside their strings are equal.
      return (equal(imm, v128.load(slot0(cpu)), b) & below(lengthA) & validB) | (all & ~(below(lengthA) | validB));
    default:
      // EQUAL_ORDERED: a is found at j as far as the vector goes.
      result = all;
      for (let i: u32 = 0; i < lengthA; i++)
        result &= ((equal(imm, b, spread(cpu, imm, i)) & validB) >> i) | ~(all >> i);
      return result;
  }
}

/** IntRes2 */
function compare(cpu: usize, imm: u32, lengthA: u32, lengthB: u32): u32 {
  const result = aggregate(cpu, imm, lengthA, lengthB);
  if ((imm & NEGATIVE) == 0) return result;
  return result ^ below((imm & MASKED) != 0 ? lengthB : capacity(imm));
}

function flagsOf(imm: u32, result: u32, lengthA: u32, lengthB: u32): u32 {
  const n = capacity(imm);
  let flags: u32 = result != 0 ? CF : 0;
  if (lengthB < n) flags |= ZF;
  if (lengthA < n) flags |= SF;
  if ((result & 1) != 0) flags |= OF;
  return flags << 16;
}

/** Index of the first or last bit, or the capacity if there is none; EFLAGS in bits 16-31. */
function index(cpu: usize, imm: u32, lengthA: u32, lengthB: u32): u32 {
  const result = compare(cpu, imm, lengthA, lengthB);
  let position = capacity(imm);
  if (result != 0) position = (imm & LAST_OR_WIDE) != 0 ? 31 - clz<u32>(result) : ctz<u32>(result);
  return position | flagsOf(imm, result, lengthA, lengthB);
}

/** Leaves bits or whole elements in slot 0; returns EFLAGS in bits 16-31. */
function mask(cpu: usize, imm: u32, lengthA: u32, lengthB: u32): u32 {
  const result = compare(cpu, imm, lengthA, lengthB);
  const d = slot0(cpu);
  if ((imm & LAST_OR_WIDE) == 0) {
    store<u64>(d, <u64>result);
    store<u64>(d, 0, 8);
  } else if ((imm & WORDS) != 0) {
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
