// SPDX-License-Identifier: Apache-2.0
// Unpacked arithmetic that every format shares. A wide number is
//     (-1)^sign * (hi + lo / 2^64) / 2^63 * 2^exp,   bit 63 of hi set unless the number is zero.
// Bits below lo are kept as a sticky bit in lo's bit 0, which is enough for one correct rounding to at most 64 bits.
import { mul64, mulHigh, div128, div128Remainder } from "./integer128";

/** Result of the last wide operation. */
export let wideSign: u32 = 0;
export let wideExp: i32 = 0;
export let wideHi: u64 = 0;
export let wideLo: u64 = 0;

export function setWide(sign: u32, exp: i32, hi: u64, lo: u64): void {
  wideSign = sign;
  wideExp = exp;
  wideHi = hi;
  wideLo = lo;
}

/** Shifts the result right by `count` >= 0; what falls off stays as a sticky bit. */
export function wideShiftRight(hi: u64, lo: u64, count: i32): void {
  if (count == 0) {
    wideHi = hi;
    wideLo = lo;
  } else if (count < 64) {
    wideLo = (hi << (64 - count)) | (lo >> count) | u64(lo << (64 - count) != 0);
    wideHi = hi >> count;
  } else if (count < 128) {
    const rest = count == 64 ? lo : (hi << (128 - count)) | lo;
    wideLo = (hi >> (count - 64)) | u64(rest != 0);
    wideHi = 0;
  } else {
    wideLo = u64((hi | lo) != 0);
    wideHi = 0;
  }
}

/** Moves the leading one of hi:lo to bit 63 of hi; the value stays the same. */
export function wideNormalize(sign: u32, exp: i32, hi: u64, lo: u64): void {
  if (hi == 0) {
    hi = lo;
    lo = 0;
    exp -= 64;
  }
  const shift = i32(clz(hi));
  if (shift > 0 && shift < 64) {
    hi = (hi << shift) | (lo >> (64 - shift));
    lo <<= shift;
    exp -= shift;
  }
  setWide(sign, exp, hi, lo);
}

/** a + b, both not zero. An exact zero comes out as hi = 0 with sign 0; its sign is the caller's affair. */
export function wideAdd(aSign: u32, aExp: i32, aHi: u64, aLo: u64, bSign: u32, bExp: i32, bHi: u64, bLo: u64): void {
  const swap = aExp < bExp || (aExp == bExp && (aHi < bHi || (aHi == bHi && aLo < bLo)));
  const sign = swap ? bSign : aSign;
  const exp = swap ? bExp : aExp;
  const hi = swap ? bHi : aHi;
  const lo = swap ? bLo : aLo;
  if (swap) wideShiftRight(aHi, aLo, bExp - aExp);
  else wideShiftRight(bHi, bLo, aExp - bExp);
  if (aSign == bSign) {
    const sumLo = lo + wideLo;
    const carryLo = u64(sumLo < lo);
    const partial = hi + wideHi;
    const sumHi = partial + carryLo;
    const carry = partial < hi || sumHi < partial;
    if (carry) setWide(sign, exp + 1, (sumHi >> 1) | (<u64>1 << 63), (sumLo >> 1) | (sumHi << 63) | (sumLo & 1));
    else setWide(sign, exp, sumHi, sumLo);
  } else {
    const differenceHi = hi - wideHi - u64(lo < wideLo);
    const differenceLo = lo - wideLo;
    if ((differenceHi | differenceLo) == 0) setWide(0, 0, 0, 0);
    else wideNormalize(sign, exp, differenceHi, differenceLo);
  }
}

/** a * b, exact; 64-bit significands, bit 63 set. */
export function wideMul(sign: u32, aExp: i32, a: u64, bExp: i32, b: u64): void {
  const lo = mul64(a, b);
  const hi = mulHigh;
  if (<i64>hi < 0) setWide(sign, aExp + bExp + 1, hi, lo);
  else setWide(sign, aExp + bExp, (hi << 1) | (lo >> 63), lo << 1);
}

/** a / b; 64-bit significands, bit 63 set. lo tells nothing, below half, half or above half apart. */
export function wideDiv(sign: u32, aExp: i32, a: u64, bExp: i32, b: u64): void {
  const larger = a >= b;
  const quotient = larger ? div128(a >> 1, a << 63, b) : div128(a, 0, b);
  const rest = div128Remainder;
  const half = b - rest;
  const lo: u64 = rest == 0 ? 0 : rest > half ? 0x8000000000000001 : rest == half ? 0x8000000000000000 : 1;
  setWide(sign, aExp - bExp - (larger ? 0 : 1), quotient, lo);
}

/** Square root; 64-bit significand, bit 63 set. A root is never half way between two 64-bit numbers. */
export function wideSqrt(exp: i32, a: u64): void {
  const odd = (exp & 1) != 0;
  // The radicand as an integer below 2^128 whose root is the 64-bit significand looked for.
  const hi = odd ? a : a >> 1;
  const lo: u64 = odd ? 0 : a << 63;
  // A first guess that is not below the root, so that the quotient of Newton's step fits 64 bits.
  const guess = sqrt<f64>(f64(hi)) * 4294967296.0 + 4096.0;
  let root: u64 = guess >= 18446744073709551615.0 ? u64.MAX_VALUE : u64(guess);
  if (hi < root) {
    const quotient = div128(hi, lo, root);
    root = (root >> 1) + (quotient >> 1) + (root & quotient & 1);
  }
  let squareLo = mul64(root, root);
  let squareHi = mulHigh;
  while (squareHi > hi || (squareHi == hi && squareLo > lo)) {
    root--;
    squareLo = mul64(root, root);
    squareHi = mulHigh;
  }
  // rest = radicand - root^2 has to end up in [0, 2 * root].
  let restLo = lo - squareLo;
  let restHi = hi - squareHi - u64(lo < squareLo);
  while (restHi > root >> 63 || (restHi == root >> 63 && restLo > root << 1)) {
    const step = (root << 1) | 1;
    const borrow = u64(restLo < step);
    restLo -= step;
    restHi -= (root >> 63) + borrow;
    root++;
  }
  const above = restHi != 0 || restLo > root;
  setWide(0, exp >> 1, root, (restHi | restLo) == 0 ? 0 : above ? 0x8000000000000001 : 1);
}
