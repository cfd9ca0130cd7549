// SPDX-License-Identifier: Apache-2.0
// Arithmetic on normal 80-bit numbers in the environment that programs nearly always have: rounding to nearest, 64 bits
// of precision, every exception masked. What has a normal result (or an exact zero) is done here by plain integer
// arithmetic on the significands; everything else is refused, and float80-arithmetic.ts does it.
import { PE } from "./environment";
import { BIAS, INTEGER_BIT, setResult } from "./float80";
import { div128, div128Remainder } from "./integer128";

/** Beside PE in {@link normalStatus}: the magnitude was rounded up. The bit that C1 is in FSW. */
const ROUNDED_UP: u32 = 0x200;
const LARGEST_EXPONENT: i32 = 0x7ffe;

/** What the last operation that was not refused leaves in FSW: PE and C1, or 0. */
export let normalStatus: u32 = 0;

/** Whether a value is finite, not zero and not denormal in any form. */
export function isNormal(sig: u64, se: u32): bool {
  return ((se + 1) & 0x7fff) > 1 && <i64>sig < 0;
}

/** Rounds sig + rest / 2^64 to nearest; false when the exponent leaves the range of normal numbers. */
function round(sign: u32, biased: i32, sig: u64, rest: u64): bool {
  let status: u32 = 0;
  if (rest != 0) {
    status = PE;
    if (rest > INTEGER_BIT || (rest == INTEGER_BIT && (sig & 1) != 0)) {
      status = PE | ROUNDED_UP;
      sig++;
      if (sig == 0) {
        sig = INTEGER_BIT;
        biased++;
      }
    }
  }
  if (u32(biased - 1) >= u32(LARGEST_EXPONENT)) return false;
  normalStatus = status;
  setResult(sig, (sign << 15) | u32(biased));
  return true;
}

/** a + b, or a - b with negate = 1; false if the general routine has to do it. */
export function addNormal(aSig: u64, aSe: u32, bSig: u64, bSe: u32, negate: u32): bool {
  bSe ^= negate << 15;
  if ((aSe & 0x7fff) < (bSe & 0x7fff) || ((aSe & 0x7fff) == (bSe & 0x7fff) && aSig < bSig)) {
    const sig = aSig;
    const se = aSe;
    aSig = bSig;
    aSe = bSe;
    bSig = sig;
    bSe = se;
  }
  const sign = aSe >> 15;
  let biased = i32(aSe & 0x7fff);
  const distance: u64 = (aSe & 0x7fff) - (bSe & 0x7fff);
  // The smaller number, shifted to the place of the larger one; what falls off `rest` stays as its last bit.
  let rest: u64 = 0;
  if (distance != 0) {
    if (distance < 64) {
      rest = bSig << (64 - distance);
      bSig >>= distance;
    } else {
      const below = distance - 64;
      rest = below == 0 ? bSig : below < 64 ? (bSig >> below) | u64(bSig << (64 - below) != 0) : 1;
      bSig = 0;
    }
  }
  if (((aSe ^ bSe) & 0x8000) == 0) {
    let sum = aSig + bSig;
    if (sum < aSig) {
      rest = (sum << 63) | (rest >> 1) | (rest & 1);
      sum = (sum >> 1) | INTEGER_BIT;
      biased++;
    }
    return round(sign, biased, sum, rest);
  }
  let difference = aSig - bSig - u64(rest != 0);
  rest = 0 - rest;
  if (difference == 0) {
    if (rest == 0) {
      normalStatus = 0;
      setResult(0, 0);
      return true;
    }
    difference = rest;
    rest = 0;
    biased -= 64;
  }
  const shift = clz(difference);
  if (shift != 0) {
    difference = (difference << shift) | (rest >> (64 - shift));
    rest <<= shift;
    biased -= i32(shift);
  }
  return round(sign, biased, difference, rest);
}

/** a * b; false if the general routine has to do it. */
export function multiplyNormal(aSig: u64, aSe: u32, bSig: u64, bSe: u32): bool {
  const aLow = aSig & 0xffffffff;
  const aHigh = aSig >> 32;
  const bLow = bSig & 0xffffffff;
  const bHigh = bSig >> 32;
  const middle = aHigh * bLow + ((aLow * bLow) >> 32);
  const middle2 = aLow * bHigh + (middle & 0xffffffff);
  let high = aHigh * bHigh + (middle >> 32) + (middle2 >> 32);
  let low = aSig * bSig;
  let biased = i32(aSe & 0x7fff) + i32(bSe & 0x7fff) - BIAS + 1;
  if (<i64>high >= 0) {
    high = (high << 1) | (low >> 63);
    low <<= 1;
    biased--;
  }
  return round((aSe ^ bSe) >> 15, biased, high, low);
}

/** a / b; false if the general routine has to do it. */
export function divideNormal(aSig: u64, aSe: u32, bSig: u64, bSe: u32): bool {
  const larger = aSig >= bSig;
  const quotient = larger ? div128(aSig >> 1, aSig << 63, bSig) : div128(aSig, 0, bSig);
  const remainder = div128Remainder;
  const half = bSig - remainder;
  const rest: u64 = remainder == 0 ? 0 : remainder > half ? INTEGER_BIT | 1 : remainder == half ? INTEGER_BIT : 1;
  const biased = i32(aSe & 0x7fff) - i32(bSe & 0x7fff) + BIAS - (larger ? 0 : 1);
  return round((aSe ^ bSe) >> 15, biased, quotient, rest);
}

/** The value of the last conversion that was not refused; {@link normalStatus} goes with it. */
export let converted: u64 = 0;

/**
 * A normal number or zero as binary32 (F 23, bias 127) or binary64 (F 52, bias 1023) in `converted`; false if the general routine
 * has to do it.
 */
export function normalToFormat(sig: u64, se: u32, F: u64, bias: i32): bool {
  const exponents = (bias << 1) + 1;
  const sign = u64(se >> 15) << (F == 52 ? 63 : 31);
  if (sig == 0 && (se & 0x7fff) == 0) {
    normalStatus = 0;
    converted = sign;
    return true;
  }
  const biased = i32(se & 0x7fff) - BIAS + bias;
  // A carry out of the fraction makes the exponent one larger, so the largest one is left out.
  if (<i64>sig >= 0 || u32(biased - 1) >= u32(exponents - 2)) return false;
  const rest = sig << (F + 1);
  const kept = sig >> (63 - F);
  const up = rest > INTEGER_BIT || (rest == INTEGER_BIT && (kept & 1) != 0);
  normalStatus = rest == 0 ? 0 : up ? PE | ROUNDED_UP : PE;
  converted = sign | ((u64(biased - 1) << F) + kept + u64(up));
  return true;
}

/** A normal number of magnitude 1 to 2^(bits - 2), or zero, as an integer in `converted`; false for any other. */
export function normalToInteger(sig: u64, se: u32, bits: i32, truncate: bool): bool {
  if (sig == 0 && (se & 0x7fff) == 0) {
    normalStatus = 0;
    converted = 0;
    return true;
  }
  const exponent = i32(se & 0x7fff) - BIAS;
  if (<i64>sig >= 0 || u32(exponent) >= u32(bits - 2)) return false;
  const rest = sig << u64(exponent + 1);
  const kept = sig >> u64(63 - exponent);
  const up = !truncate && (rest > INTEGER_BIT || (rest == INTEGER_BIT && (kept & 1) != 0));
  normalStatus = rest == 0 ? 0 : up ? PE | ROUNDED_UP : PE;
  const magnitude = kept + u64(up);
  converted = (se >> 15) != 0 ? 0 - magnitude : magnitude;
  return true;
}
