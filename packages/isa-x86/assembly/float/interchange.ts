// SPDX-License-Identifier: Apache-2.0
// IEEE 754 interchange formats by integer arithmetic: binary16, binary32 and binary64, named by the number of their
// fraction bits F (10, 23, 52) and exponent bits X (5, 8, 11). Exact in value and exceptions for every rounding mode,
// with x86's rules where the standard leaves a choice (SDM vol. 1, 4.8 and 4.9).
import {
  daz, ftz, masks, raise, rounding, setRoundedUp, DE, DOWN, IE, NEAREST, OE, PE, UE, UP, ZE,
} from "./environment";
import { wideAdd, wideDiv, wideHi, wideLo, wideExp, wideMul, wideShiftRight, wideSign, wideSqrt } from "./wide";

/** Bits of +infinity; larger magnitudes are NaNs. */
export function infinity(F: i32, X: i32): u64 {
  return ((<u64>1 << X) - 1) << F;
}

/** Bits without the sign. */
export function magnitude(a: u64, F: i32, X: i32): u64 {
  return a & ((<u64>1 << (F + X)) - 1);
}

export function signBit(F: i32, X: i32): u64 {
  return <u64>1 << (F + X);
}

/** Raises IE and gives the default NaN: negative, quiet, payload zero. */
export function invalid(F: i32, X: i32): u64 {
  raise(IE);
  return ((<u64>1 << (X + 2)) - 1) << (F - 1);
}

export function isSignaling(a: u64, F: i32, X: i32): bool {
  return magnitude(a, F, X) > infinity(F, X) && ((a >> (F - 1)) & 1) == 0;
}

/** NaN result of an SSE operation, at least one operand being a NaN: the first NaN, quieted. */
export function propagate(a: u64, b: u64, F: i32, X: i32): u64 {
  if (isSignaling(a, F, X) || isSignaling(b, F, X)) raise(IE);
  return (magnitude(a, F, X) > infinity(F, X) ? a : b) | (<u64>1 << (F - 1));
}

export function isDenormal(a: u64, F: i32, X: i32): bool {
  return magnitude(a, F, X) - 1 < (<u64>1 << F) - 1;
}

/** An operand that is not a NaN, as the operation sees it: denormals are flushed (DAZ) or reported (DE). */
export function operand(a: u64, F: i32, X: i32): u64 {
  const t = magnitude(a, F, X);
  if (t == 0 || t >> F != 0) return a;
  if (daz) return a & signBit(F, X);
  raise(DE);
  return a;
}

/** A finite operand of an operation that does not report denormals: they are only flushed (DAZ). */
export function flushed(a: u64, F: i32, X: i32): u64 {
  return daz && (magnitude(a, F, X) >> F) == 0 ? a & signBit(F, X) : a;
}

/** Exponent of the leading bit of a finite magnitude t, not zero. */
export function exponentOf(t: u64, F: i32, X: i32): i32 {
  const biased = i32(t >> F);
  const bias = (1 << (X - 1)) - 1;
  return biased != 0 ? biased - bias : 1 - bias - i32(clz(t << (63 - F)));
}

/** Significand of a finite magnitude t, not zero, with its leading bit in bit 63. */
export function significandOf(t: u64, F: i32): u64 {
  const fraction = t << (63 - F);
  return t >> F != 0 ? fraction | (<u64>1 << 63) : fraction << clz(fraction);
}

/** Whether a significand is to be incremented, whose bits below the last place are rest (bit 63 = half) and sticky. */
export function roundsUp(sign: u32, last: u64, rest: u64, sticky: u64): bool {
  if ((rest | sticky) == 0) return false;
  if (rounding == NEAREST) {
    const half: u64 = 0x8000000000000000;
    return rest > half || (rest == half && (sticky != 0 || (last & 1) != 0));
  }
  return rounding == UP ? sign == 0 : rounding == DOWN ? sign != 0 : false;
}

/**
 * Rounds a wide number (hi not zero) to a format and raises OE, UE and PE as due. Tininess is detected after rounding;
 * a tiny exact result raises UE only when UE is unmasked (SDM vol. 1, 4.9.1.5).
 */
export function roundToFormat(sign: u32, exp: i32, hi: u64, lo: u64, F: i32, X: i32): u64 {
  const bias = (1 << (X - 1)) - 1;
  const signed = u64(sign) << (F + X);
  const shift = 63 - F;
  let biased = exp + bias;
  let tiny = false;
  if (biased <= 0) {
    // Tiny, unless rounding with an unbounded exponent range would carry into the smallest normal number.
    const kept = hi >> shift;
    tiny = biased < 0 || (kept + 1) >> (F + 1) == 0 || !roundsUp(sign, kept, hi << (64 - shift), lo);
    if (tiny && (masks & UE) == 0) {
      // No result is delivered; PE tells whether the one with an unbounded exponent would have been exact.
      raise(((hi << (64 - shift)) | lo) != 0 ? UE | PE : UE);
      return signed;
    }
    if (tiny && ftz) {
      raise(UE | PE);
      return signed;
    }
    wideShiftRight(hi, lo, 1 - biased);
    hi = wideHi;
    lo = wideLo;
    biased = 0;
  }
  const kept = hi >> shift;
  const rest = hi << (64 - shift);
  const up = roundsUp(sign, kept, rest, lo);
  const inexact = (rest | lo) != 0;
  setRoundedUp(up);
  if (inexact) raise(tiny ? UE | PE : PE);
  // A normal number's leading bit is added to the exponent field, and so is a carry out of the fraction.
  const t = (u64(biased == 0 ? 0 : biased - 1) << F) + kept + u64(up);
  if (biased < (1 << X) - 1 && t < infinity(F, X)) return signed | t;
  raise((masks & OE) != 0 ? OE | PE : OE);
  const toInfinity = rounding == NEAREST || (rounding == UP ? sign == 0 : rounding == DOWN && sign != 0);
  setRoundedUp(toInfinity);
  return signed | (infinity(F, X) - u64(!toInfinity));
}

function zeroSum(F: i32, X: i32): u64 {
  return rounding == DOWN ? signBit(F, X) : 0;
}

/** a + (b ^ negate), negate being 0 or the sign bit. NaN operands are not negated. */
export function formatAdd(a: u64, b: u64, negate: u64, F: i32, X: i32): u64 {
  const inf = infinity(F, X);
  if (magnitude(a, F, X) > inf || magnitude(b, F, X) > inf) return propagate(a, b, F, X);
  a = operand(a, F, X);
  b = operand(b, F, X) ^ negate;
  const ta = magnitude(a, F, X);
  const tb = magnitude(b, F, X);
  const aSign = u32(a >> (F + X));
  const bSign = u32(b >> (F + X));
  if (ta == inf) return tb == inf && aSign != bSign ? invalid(F, X) : a;
  if (tb == inf) return b;
  if (ta == 0) {
    if (tb == 0) return aSign == bSign ? a : zeroSum(F, X);
    return roundToFormat(bSign, exponentOf(tb, F, X), significandOf(tb, F), 0, F, X);
  }
  if (tb == 0) return roundToFormat(aSign, exponentOf(ta, F, X), significandOf(ta, F), 0, F, X);
  wideAdd(aSign, exponentOf(ta, F, X), significandOf(ta, F), 0, bSign, exponentOf(tb, F, X), significandOf(tb, F), 0);
  if (wideHi == 0) return zeroSum(F, X);
  return roundToFormat(wideSign, wideExp, wideHi, wideLo, F, X);
}

export function formatMul(a: u64, b: u64, F: i32, X: i32): u64 {
  const inf = infinity(F, X);
  if (magnitude(a, F, X) > inf || magnitude(b, F, X) > inf) return propagate(a, b, F, X);
  a = operand(a, F, X);
  b = operand(b, F, X);
  const ta = magnitude(a, F, X);
  const tb = magnitude(b, F, X);
  const sign = (a ^ b) & signBit(F, X);
  if (ta == inf || tb == inf) return ta == 0 || tb == 0 ? invalid(F, X) : sign | inf;
  if (ta == 0 || tb == 0) return sign;
  wideMul(u32(sign >> (F + X)), exponentOf(ta, F, X), significandOf(ta, F), exponentOf(tb, F, X), significandOf(tb, F));
  return roundToFormat(wideSign, wideExp, wideHi, wideLo, F, X);
}

export function formatDiv(a: u64, b: u64, F: i32, X: i32): u64 {
  const inf = infinity(F, X);
  if (magnitude(a, F, X) > inf || magnitude(b, F, X) > inf) return propagate(a, b, F, X);
  // Division by zero comes before a denormal dividend.
  if (magnitude(flushed(b, F, X), F, X) == 0 && magnitude(a, F, X) < inf) {
    if (magnitude(flushed(a, F, X), F, X) == 0) return invalid(F, X);
    raise(ZE);
    return ((a ^ b) & signBit(F, X)) | inf;
  }
  a = operand(a, F, X);
  b = operand(b, F, X);
  const ta = magnitude(a, F, X);
  const tb = magnitude(b, F, X);
  const sign = (a ^ b) & signBit(F, X);
  if (ta == inf) return tb == inf ? invalid(F, X) : sign | inf;
  if (tb == inf) return sign;
  if (ta == 0) return sign;
  wideDiv(u32(sign >> (F + X)), exponentOf(ta, F, X), significandOf(ta, F), exponentOf(tb, F, X), significandOf(tb, F));
  return roundToFormat(wideSign, wideExp, wideHi, wideLo, F, X);
}

export function formatSqrt(a: u64, F: i32, X: i32): u64 {
  const inf = infinity(F, X);
  if (magnitude(a, F, X) > inf) return propagate(a, a, F, X);
  // A negative denormal is an invalid operand before it is a denormal one.
  if (!daz && a > signBit(F, X)) return invalid(F, X);
  a = operand(a, F, X);
  const t = magnitude(a, F, X);
  if (t == 0) return a;
  if (a > inf) return invalid(F, X);
  if (t == inf) return a;
  wideSqrt(exponentOf(t, F, X), significandOf(t, F));
  return roundToFormat(wideSign, wideExp, wideHi, wideLo, F, X);
}

/** a * b + c, rounded once. The first NaN of a, b, c wins. */
export function formatFma(a: u64, b: u64, c: u64, F: i32, X: i32): u64 {
  const inf = infinity(F, X);
  const cNaN = magnitude(c, F, X) > inf;
  if (magnitude(a, F, X) > inf || magnitude(b, F, X) > inf) {
    if (isSignaling(c, F, X)) raise(IE);
    return propagate(a, b, F, X);
  }
  if (cNaN) return propagate(c, c, F, X);
  const denormal = isDenormal(a, F, X) || isDenormal(b, F, X) || isDenormal(c, F, X);
  a = flushed(a, F, X);
  b = flushed(b, F, X);
  c = flushed(c, F, X);
  const ta = magnitude(a, F, X);
  const tb = magnitude(b, F, X);
  const tc = magnitude(c, F, X);
  const sign = u32((a ^ b) >> (F + X)) & 1;
  const cSign = u32(c >> (F + X));
  const infinite = ta == inf || tb == inf;
  // An invalid operation comes before denormal operands.
  if (infinite && (ta == 0 || tb == 0 || (tc == inf && cSign != sign))) return invalid(F, X);
  if (denormal && !daz) raise(DE);
  if (infinite) return (u64(sign) << (F + X)) | inf;
  if (tc == inf) return c;
  if (ta == 0 || tb == 0) {
    if (tc == 0) return sign == cSign ? c : zeroSum(F, X);
    return roundToFormat(cSign, exponentOf(tc, F, X), significandOf(tc, F), 0, F, X);
  }
  wideMul(sign, exponentOf(ta, F, X), significandOf(ta, F), exponentOf(tb, F, X), significandOf(tb, F));
  if (tc != 0) {
    wideAdd(sign, wideExp, wideHi, wideLo, cSign, exponentOf(tc, F, X), significandOf(tc, F), 0);
    if (wideHi == 0) return zeroSum(F, X);
  }
  return roundToFormat(wideSign, wideExp, wideHi, wideLo, F, X);
}

/** Relations that comparisons give. */
export const EQUAL: u32 = 0;
export const LESS: u32 = 1;
export const GREATER: u32 = 2;
export const UNORDERED: u32 = 3;

/** How a relates to b. A quiet comparison raises IE for signaling NaNs only. */
export function formatCompare(a: u64, b: u64, quiet: bool, F: i32, X: i32): u32 {
  const inf = infinity(F, X);
  if (magnitude(a, F, X) > inf || magnitude(b, F, X) > inf) {
    if (!quiet || isSignaling(a, F, X) || isSignaling(b, F, X)) raise(IE);
    return UNORDERED;
  }
  a = operand(a, F, X);
  b = operand(b, F, X);
  const ta = magnitude(a, F, X);
  const tb = magnitude(b, F, X);
  if ((ta | tb) == 0) return EQUAL;
  const aNegative = a >> (F + X) != 0;
  if (aNegative != (b >> (F + X) != 0)) return aNegative ? LESS : GREATER;
  return ta == tb ? EQUAL : ta < tb != aNegative ? LESS : GREATER;
}
