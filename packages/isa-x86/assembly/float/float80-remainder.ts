// SPDX-License-Identifier: Apache-2.0
// FPREM, FPREM1, FSCALE and FXTRACT on 80-bit values.
import { raise, DE, ZE } from "./environment";
import { div128, div128Remainder } from "./integer128";
import {
  exponent80, invalid80, isDenormal, isInfinity, isUnordered, isZero, propagate80, propagateOne80, round80, setInfinity,
  setResult, setZero, significand80, BIAS,
} from "./float80";

/** The low three bits of the quotient that the last remainder belongs to. */
export let quotientBits: u32 = 0;
/** The last remainder is that of two numbers, not a NaN: condition codes tell about the quotient. */
export let hasQuotient: bool = false;
/** The last remainder is only a partial one: C2. */
export let reductionIncomplete: bool = false;

/** Remainder of a / b with the quotient truncated (FPREM) or rounded to nearest, ties to even (FPREM1). */
export function f80Remainder(aSig: u64, aSe: u32, bSig: u64, bSe: u32, nearest: bool): void {
  quotientBits = 0;
  hasQuotient = false;
  reductionIncomplete = false;
  if (isUnordered(aSig, aSe) || isUnordered(bSig, bSe)) {
    propagate80(aSig, aSe, bSig, bSe);
    return;
  }
  if (isInfinity(aSig, aSe) || isZero(bSig, bSe)) {
    invalid80();
    return;
  }
  hasQuotient = true;
  if (isDenormal(aSig, aSe) || isDenormal(bSig, bSe)) raise(DE);
  if (isZero(aSig, aSe) || isInfinity(bSig, bSe)) {
    // A denormal stays as it is, without an underflow even if that is unmasked; a pseudo-denormal is normalised.
    if ((aSe & 0x7fff) == 0 && aSig >> 63 != 0) round80(aSe >> 15, exponent80(aSig, aSe), significand80(aSig), 0, 64);
    else setResult(aSig, aSe);
    return;
  }
  const divisor = significand80(bSig);
  const bExp = exponent80(bSig, bSe);
  let rest = significand80(aSig);
  let exp = exponent80(aSig, aSe);
  let sign = aSe >> 15;
  const difference = exp - bExp;
  if (difference < -1 || (difference == -1 && !nearest)) {
    round80(sign, exp, rest, 0, 64);
    return;
  }
  let quotient: u64 = 0;
  if (difference >= 0) {
    // The processor reduces the exponents' difference by 32 to 63 at a time, to a multiple of 32.
    const steps = difference < 64 ? difference : 32 + (difference & 31);
    reductionIncomplete = difference >= 64;
    if (rest >= divisor) {
      rest -= divisor;
      quotient = 1;
    }
    if (steps > 0) {
      quotient = (quotient << steps) | div128(rest >> (64 - steps), rest << steps, divisor);
      rest = div128Remainder;
    }
    exp -= steps;
  }
  if (nearest && !reductionIncomplete) {
    // rest is in units of divisor when exp == bExp, in halves of it when exp == bExp - 1.
    const half = exp == bExp ? divisor - rest : divisor;
    const up = exp == bExp ? rest > half || (rest == half && (quotient & 1) != 0) : rest > half;
    if (up) {
      quotient++;
      sign ^= 1;
      // 2 * divisor - rest fits 64 bits here because rest > divisor.
      rest = exp == bExp ? half : divisor - (rest - divisor);
    }
  }
  if (!reductionIncomplete) quotientBits = u32(quotient & 7);
  if (rest == 0) setZero(aSe >> 15);
  else round80(sign, exp - i32(clz(rest)), rest << clz(rest), 0, 64);
}

/** a * 2^trunc(b) */
export function f80Scale(aSig: u64, aSe: u32, bSig: u64, bSe: u32): void {
  if (isUnordered(aSig, aSe) || isUnordered(bSig, bSe)) {
    propagate80(aSig, aSe, bSig, bSe);
    return;
  }
  const sign = aSe >> 15;
  const bNegative = bSe >> 15 != 0;
  const aInfinite = isInfinity(aSig, aSe);
  if (isInfinity(bSig, bSe)) {
    if (bNegative ? aInfinite : isZero(aSig, aSe)) {
      invalid80();
      return;
    }
    if (isDenormal(aSig, aSe)) raise(DE);
    if (bNegative) setZero(sign);
    else setInfinity(sign);
    return;
  }
  if (isDenormal(aSig, aSe) || isDenormal(bSig, bSe)) raise(DE);
  // By an exact zero a denormal stays as it is, without the underflow that any other exponent reports when unmasked.
  const untouched = isZero(bSig, bSe) && (aSe & 0x7fff) == 0 && aSig >> 63 == 0;
  if (aInfinite || isZero(aSig, aSe) || untouched) {
    setResult(aSig, aSe);
    return;
  }
  const bExp = exponent80(bSig, bSe);
  let scale = 0;
  if (bSig != 0 && bExp >= 0) {
    scale = bExp > 16 ? 0x20000 : i32(significand80(bSig) >> (63 - bExp));
    if (bNegative) scale = -scale;
  }
  round80(sign, exponent80(aSig, aSe) + scale, significand80(aSig), 0, 64);
}

/** FXTRACT, first part: the unbiased exponent of a as the result. ZE for zero. */
export function f80ExtractExponent(sig: u64, se: u32): void {
  if (isUnordered(sig, se)) {
    propagateOne80(sig, se);
  } else if (isInfinity(sig, se)) {
    setInfinity(0);
  } else if (isZero(sig, se)) {
    raise(ZE);
    setInfinity(1);
  } else {
    if (isDenormal(sig, se)) raise(DE);
    const exp = exponent80(sig, se);
    const t: u64 = exp < 0 ? -exp : exp;
    if (t == 0) setZero(0);
    else setResult(t << clz(t), (u32(exp < 0) << 15) | u32(63 + BIAS - i32(clz(t))));
  }
}

/** FXTRACT, second part: a with the exponent of 1. */
export function f80ExtractSignificand(sig: u64, se: u32): void {
  if (isUnordered(sig, se)) propagateOne80(sig, se);
  else if (isInfinity(sig, se) || isZero(sig, se)) setResult(sig, se);
  else setResult(significand80(sig), (se & 0x8000) | u32(BIAS));
}
