// SPDX-License-Identifier: Apache-2.0
// 128-bit arithmetic for the transcendental functions. Results are truncated and good to about 120 bits: far more than
// the 64 that are delivered, so that they round correctly but for one operand in 2^50 or so.
import { div128, div128Remainder, mul64, mulHigh } from "./integer128";
import { wideExp, wideHi, wideLo, wideNormalize } from "./wide";

/** Upper half of the last product. */
export let productHi: u64 = 0;
export let productLo: u64 = 0;

/** Upper 128 bits of the 256-bit product of a and b, perhaps short by 3 units. */
export function product128(aHi: u64, aLo: u64, bHi: u64, bLo: u64): void {
  mul64(aHi, bLo);
  const cross1 = mulHigh;
  mul64(aLo, bHi);
  const cross2 = mulHigh;
  const lo = mul64(aHi, bHi);
  const hi = mulHigh;
  const sum1 = lo + cross1;
  const sum2 = sum1 + cross2;
  productHi = hi + u64(sum1 < lo) + u64(sum2 < sum1);
  productLo = sum2;
}

/** a * b of wide numbers. */
export function wideProduct(sign: u32, aExp: i32, aHi: u64, aLo: u64, bExp: i32, bHi: u64, bLo: u64): void {
  product128(aHi, aLo, bHi, bLo);
  wideNormalize(sign, aExp + bExp + 1, productHi, productLo);
}

let restHi: u64 = 0;
let restLo: u64 = 0;

/** Next 64 bits of rest / b, rest < b, bit 63 of bHi set; the remainder becomes rest. */
function quotientDigit(bHi: u64, bLo: u64): u64 {
  let q: u64 = u64.MAX_VALUE;
  let upper: u64 = restLo + bHi;
  let enough = upper < bHi;
  if (restHi < bHi) {
    q = div128(restHi, restLo, bHi);
    upper = div128Remainder;
    enough = false;
  }
  // upper:0 - q * bLo is the remainder; q is at most 2 too large, which shows as a negative one.
  let lower = mul64(q, bLo);
  let borrow = mulHigh + u64(lower != 0);
  lower = <u64>0 - lower;
  let negative = !enough && upper < borrow;
  upper -= borrow;
  while (negative) {
    q--;
    lower += bLo;
    const sum = upper + bHi;
    const carry = sum < upper;
    upper = sum + u64(lower < bLo);
    negative = !(carry || upper < sum);
  }
  restHi = upper;
  restLo = lower;
  return q;
}

/** a / b of wide numbers. */
export function wideQuotient(sign: u32, aExp: i32, aHi: u64, aLo: u64, bExp: i32, bHi: u64, bLo: u64): void {
  const below = aHi < bHi || (aHi == bHi && aLo < bLo);
  restHi = below ? aHi : aHi >> 1;
  restLo = below ? aLo : (aLo >> 1) | (aHi << 63);
  const hi = quotientDigit(bHi, bLo);
  const lo = quotientDigit(bHi, bLo);
  wideNormalize(sign, aExp - bExp - i32(below), hi, lo);
}

/** Fraction bits of a number below 1, as hi:lo / 2^128, from its wide form; exp < 0. */
export function toFraction(exp: i32, hi: u64, lo: u64): void {
  const shift = -1 - exp;
  if (shift == 0) {
    productHi = hi;
    productLo = lo;
  } else if (shift < 64) {
    productHi = hi >> shift;
    productLo = (hi << (64 - shift)) | (lo >> shift);
  } else {
    productHi = 0;
    productLo = shift < 128 ? hi >> (shift - 64) : 0;
  }
}

/**
 * c0 + c1 t + c2 t^2 + ... by Horner's rule, with alternating signs on request. The coefficients are fixed-point
 * numbers of series.ts, t = tHi:tLo / 2^128; the sum, as a wide number, must lie between 1/4 and 2.
 */
export function series(coefficients: usize, terms: i32, tHi: u64, tLo: u64, alternate: bool): void {
  let hi: u64 = 0;
  let lo: u64 = 0;
  for (let n = terms - 1; n >= 0; n--) {
    const at = coefficients + (usize(n) << 4);
    const cHi = load<u64>(at);
    const cLo = load<u64>(at, 8);
    product128(hi, lo, tHi, tLo);
    if (alternate) {
      lo = cLo - productLo;
      hi = cHi - productHi - u64(cLo < productLo);
    } else {
      lo = cLo + productLo;
      hi = cHi + productHi + u64(lo < cLo);
    }
  }
  wideNormalize(0, 0, hi, lo);
}

/** Squares a wide number below 1 and leaves the fraction in productHi:productLo. */
export function squareFraction(exp: i32, hi: u64, lo: u64): void {
  wideProduct(0, exp, hi, lo, exp, hi, lo);
  toFraction(wideExp, wideHi, wideLo);
}
