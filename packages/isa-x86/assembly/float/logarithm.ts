// SPDX-License-Identifier: Apache-2.0
// F2XM1, FYL2X and FYL2XP1.
import { raise, DE, PE, ZE } from "./environment";
import {
  anyDenormal, exponent80, invalid80, isInfinity, isUnordered, isZero, propagate80, propagateOne80, roundInexact80,
  setInfinity, setResult, setZero, significand80, BIAS, INTEGER_BIT,
} from "./float80";
import { ATANH_TERMS, EXP_SERIES, EXP_TERMS, ODD_SERIES } from "./series";
import { wideAdd, wideExp, wideHi, wideLo, wideMul, wideNormalize, wideSign } from "./wide";
import { productHi, productLo, series, squareFraction, toFraction, wideProduct, wideQuotient } from "./wide-math";

/** Significand of ln 2, exponent -1. */
const LN2_HI: u64 = 0xb17217f7d1cf79ab;
const LN2_LO: u64 = 0xc9e3b39803f2f6af;
/** Significand of 2 / ln 2, exponent 1. */
const TWO_LOG2E_HI: u64 = 0xb8aa3b295c17f0bb;
const TWO_LOG2E_LO: u64 = 0xbe87fed0691d3e89;
/** Significand of the square root of 2, 64 bits. */
const SQRT2: u64 = 0xb504f333f9de6484;

/** 2^x - 1 for |x| <= 1; larger arguments have no defined result and come back unchanged. */
export function f80Exp2Minus1(sig: u64, se: u32): void {
  if (isUnordered(sig, se)) {
    propagateOne80(sig, se);
    return;
  }
  if (anyDenormal(sig, se, sig, se)) raise(DE);
  const sign = se >> 15;
  if (isInfinity(sig, se)) {
    if (sign != 0) setResult(INTEGER_BIT, 0x8000 | u32(BIAS));
    else setInfinity(0);
    return;
  }
  const exp = exponent80(sig, se);
  if (isZero(sig, se)) {
    setResult(sig, se);
    return;
  }
  // PE is raised even where the result is exact.
  raise(PE);
  if (exp > 0 || (exp == 0 && (sign == 0 || sig != INTEGER_BIT))) {
    setResult(sig, se);
    return;
  }
  if (exp == 0) {
    setResult(INTEGER_BIT, 0x8000 | u32(BIAS - 1));
    return;
  }
  wideProduct(0, exp, significand80(sig), 0, -1, LN2_HI, LN2_LO);
  const yExp = wideExp;
  const yHi = wideHi;
  const yLo = wideLo;
  toFraction(yExp, yHi, yLo);
  series(EXP_SERIES, EXP_TERMS, productHi, productLo, sign != 0);
  wideProduct(0, yExp, yHi, yLo, wideExp, wideHi, wideLo);
  roundInexact80(sign, wideExp, wideHi, wideLo | 1);
}

/** log2(1 + f) as the wide number; f is not zero, and 1 + f lies between sqrt(1/2) and sqrt(2). */
function log2OnePlus(fSign: u32, fExp: i32, fHi: u64, fLo: u64): void {
  // ln(1 + f) = 2 artanh(f / (2 + f))
  wideAdd(0, 1, INTEGER_BIT, 0, fSign, fExp, fHi, fLo);
  wideQuotient(0, fExp, fHi, fLo, wideExp, wideHi, wideLo);
  const sExp = wideExp;
  const sHi = wideHi;
  const sLo = wideLo;
  squareFraction(sExp, sHi, sLo);
  series(ODD_SERIES, ATANH_TERMS, productHi, productLo, false);
  wideProduct(0, sExp, sHi, sLo, wideExp, wideHi, wideLo);
  wideProduct(fSign, wideExp, wideHi, wideLo, 1, TWO_LOG2E_HI, TWO_LOG2E_LO);
}

/** y times the wide number, which is not exact, becomes the result. */
function timesWide(ySig: u64, ySe: u32): void {
  wideProduct(wideSign ^ (ySe >> 15), wideExp, wideHi, wideLo, exponent80(ySig, ySe), significand80(ySig), 0);
  roundInexact80(wideSign, wideExp, wideHi, wideLo | 1);
}

/**
 * y * n, n not zero, becomes the result: the logarithm of a power of two. PE is raised even where that is exact, and
 * the processor's negative logarithms are a trifle small, which directed rounding shows.
 */
function timesInteger(ySig: u64, ySe: u32, n: i32): void {
  const t: u64 = n < 0 ? -n : n;
  const sign = (ySe >> 15) ^ u32(n < 0);
  wideMul(sign, 63 - i32(clz(t)), t << clz(t), exponent80(ySig, ySe), significand80(ySig));
  if (n < 0) wideNormalize(sign, wideExp, wideHi - u64(wideLo == 0), wideLo - 1);
  roundInexact80(sign, wideExp, wideHi, wideLo);
}

/** log2(x) * y for x = 2^exp * (1 + f): sig and lo hold 1 + f, which is not 1. */
function logarithmTimes(ySig: u64, ySe: u32, exp: i32, sig: u64, lo: u64): void {
  const upper = sig > SQRT2;
  const k = exp + i32(upper);
  wideAdd(0, upper ? -1 : 0, sig, lo, 1, 0, INTEGER_BIT, 0);
  log2OnePlus(wideSign, wideExp, wideHi, wideLo);
  if (k != 0) {
    const n: u64 = k < 0 ? -k : k;
    wideAdd(u32(k < 0), 63 - i32(clz(n)), n << clz(n), 0, wideSign, wideExp, wideHi, wideLo);
  }
  timesWide(ySig, ySe);
}

/** y * log2(x) */
export function f80YLog2X(ySig: u64, ySe: u32, xSig: u64, xSe: u32): void {
  if (isUnordered(ySig, ySe) || isUnordered(xSig, xSe)) {
    propagate80(ySig, ySe, xSig, xSe);
    return;
  }
  const ySign = ySe >> 15;
  const yInfinite = isInfinity(ySig, ySe);
  if (isZero(xSig, xSe)) {
    if (ySig == 0) {
      invalid80();
      return;
    }
    if (!yInfinite) raise(ZE);
    setInfinity(ySign ^ 1);
    return;
  }
  if (xSe >> 15 != 0) {
    invalid80();
    return;
  }
  const xInfinite = isInfinity(xSig, xSe);
  const exp = exponent80(xSig, xSe);
  const sig = significand80(xSig);
  const isOne = exp == 0 && sig == INTEGER_BIT;
  if ((xInfinite && ySig == 0) || (isOne && yInfinite)) {
    invalid80();
    return;
  }
  if (anyDenormal(ySig, ySe, xSig, xSe)) raise(DE);
  const sign = ySign ^ u32(exp < 0);
  if (xInfinite || yInfinite) setInfinity(sign);
  else if (isOne || ySig == 0) setZero(sign);
  else if (sig == INTEGER_BIT) timesInteger(ySig, ySe, exp);
  else logarithmTimes(ySig, ySe, exp, sig, 0);
}

/** y * log2(x + 1), for x between sqrt(1/2) - 1 and sqrt(2) - 1. */
export function f80YLog2XPlus1(ySig: u64, ySe: u32, xSig: u64, xSe: u32): void {
  if (isUnordered(ySig, ySe) || isUnordered(xSig, xSe)) {
    propagate80(ySig, ySe, xSig, xSe);
    return;
  }
  const sign = (ySe ^ xSe) >> 15;
  const xInfinite = isInfinity(xSig, xSe);
  const yInfinite = isInfinity(ySig, ySe);
  if ((xInfinite && (xSe >> 15 != 0 || ySig == 0)) || (isZero(xSig, xSe) && yInfinite)) {
    invalid80();
    return;
  }
  if (anyDenormal(ySig, ySe, xSig, xSe)) raise(DE);
  if (xInfinite || yInfinite) setInfinity(sign);
  else if (isZero(xSig, xSe) || ySig == 0) setZero(sign);
  else {
    const exp = exponent80(xSig, xSe);
    const xSign = xSe >> 15;
    if (exp < -1) {
      log2OnePlus(xSign, exp, significand80(xSig), 0);
      timesWide(ySig, ySe);
    } else if (xSign != 0 && exp >= 0) {
      // The logarithm of zero or less is not defined; the processor leaves x.
      raise(PE);
      setResult(xSig, xSe);
    } else {
      wideAdd(0, 0, INTEGER_BIT, 0, xSign, exp, significand80(xSig), 0);
      if (wideHi == INTEGER_BIT && wideLo == 0) timesInteger(ySig, ySe, wideExp);
      else logarithmTimes(ySig, ySe, wideExp, wideHi, wideLo);
    }
  }
}
