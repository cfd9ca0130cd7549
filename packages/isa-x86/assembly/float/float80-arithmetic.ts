// SPDX-License-Identifier: Apache-2.0
// FADD, FSUB, FMUL, FDIV, FSQRT and comparison on 80-bit values; results go to float80's resultSig and resultSe.
import { raise, rounding, DE, DOWN, IE, ZE } from "./environment";
import {
  anyDenormal, exponent80, invalid80, isDenormal, isInfinity, isNaN80, isSignaling80, isUnordered, isUnsupported,
  isZero, propagate80, propagateOne80, roundToPrecision, setInfinity, setResult, setZero, significand80,
} from "./float80";
import { wideAdd, wideDiv, wideExp, wideHi, wideLo, wideMul, wideSign, wideSqrt } from "./wide";

function roundWide(): void {
  roundToPrecision(wideSign, wideExp, wideHi, wideLo);
}

/** a + b, or a - b with negate = 1. */
export function f80Add(aSig: u64, aSe: u32, bSig: u64, bSe: u32, negate: u32): void {
  if (isUnordered(aSig, aSe) || isUnordered(bSig, bSe)) {
    propagate80(aSig, aSe, bSig, bSe);
    return;
  }
  if (anyDenormal(aSig, aSe, bSig, bSe)) raise(DE);
  const aSign = aSe >> 15;
  const bSign = (bSe >> 15) ^ negate;
  if (isInfinity(aSig, aSe)) {
    if (isInfinity(bSig, bSe) && aSign != bSign) invalid80();
    else setInfinity(aSign);
  } else if (isInfinity(bSig, bSe)) {
    setInfinity(bSign);
  } else if (aSig == 0) {
    if (bSig == 0) setZero(aSign == bSign ? aSign : u32(rounding == DOWN));
    else roundToPrecision(bSign, exponent80(bSig, bSe), significand80(bSig), 0);
  } else if (bSig == 0) {
    roundToPrecision(aSign, exponent80(aSig, aSe), significand80(aSig), 0);
  } else {
    wideAdd(
      aSign, exponent80(aSig, aSe), significand80(aSig), 0,
      bSign, exponent80(bSig, bSe), significand80(bSig), 0,
    );
    if (wideHi == 0) setZero(u32(rounding == DOWN));
    else roundWide();
  }
}

/** a * b */
export function f80Mul(aSig: u64, aSe: u32, bSig: u64, bSe: u32): void {
  if (isUnordered(aSig, aSe) || isUnordered(bSig, bSe)) {
    propagate80(aSig, aSe, bSig, bSe);
    return;
  }
  const sign = (aSe ^ bSe) >> 15;
  const infinite = isInfinity(aSig, aSe) || isInfinity(bSig, bSe);
  const zero = aSig == 0 || bSig == 0;
  if (infinite && zero) {
    invalid80();
    return;
  }
  if (anyDenormal(aSig, aSe, bSig, bSe)) raise(DE);
  if (infinite) setInfinity(sign);
  else if (zero) setZero(sign);
  else {
    wideMul(sign, exponent80(aSig, aSe), significand80(aSig), exponent80(bSig, bSe), significand80(bSig));
    roundWide();
  }
}

/** a / b */
export function f80Div(aSig: u64, aSe: u32, bSig: u64, bSe: u32): void {
  if (isUnordered(aSig, aSe) || isUnordered(bSig, bSe)) {
    propagate80(aSig, aSe, bSig, bSe);
    return;
  }
  const sign = (aSe ^ bSe) >> 15;
  const aInfinite = isInfinity(aSig, aSe);
  const bInfinite = isInfinity(bSig, bSe);
  if ((aInfinite && bInfinite) || (aSig == 0 && bSig == 0)) {
    invalid80();
    return;
  }
  // Division by zero comes before a denormal dividend.
  if (bSig == 0 && !aInfinite) {
    raise(ZE);
    setInfinity(sign);
    return;
  }
  if (anyDenormal(aSig, aSe, bSig, bSe)) raise(DE);
  if (aInfinite) setInfinity(sign);
  else if (bInfinite || aSig == 0) setZero(sign);
  else {
    wideDiv(sign, exponent80(aSig, aSe), significand80(aSig), exponent80(bSig, bSe), significand80(bSig));
    roundWide();
  }
}

export function f80Sqrt(sig: u64, se: u32): void {
  if (isUnordered(sig, se)) {
    propagateOne80(sig, se);
  } else if (isZero(sig, se)) {
    setResult(sig, se);
  } else if (se >> 15 != 0) {
    invalid80();
  } else {
    if (isDenormal(sig, se)) raise(DE);
    if (isInfinity(sig, se)) {
      setInfinity(0);
      return;
    }
    wideSqrt(exponent80(sig, se), significand80(sig));
    roundWide();
  }
}

/** 0 equal, 1 less, 2 greater, 3 unordered. A quiet comparison raises IE for signaling and unsupported values only. */
export function f80Compare(aSig: u64, aSe: u32, bSig: u64, bSe: u32, quiet: bool): u32 {
  if (isUnordered(aSig, aSe) || isUnordered(bSig, bSe)) {
    const unsupported = isUnsupported(aSig, aSe) || isUnsupported(bSig, bSe);
    if (!quiet || unsupported || isSignaling80(aSig, aSe) || isSignaling80(bSig, bSe)) raise(IE);
    return 3;
  }
  if (anyDenormal(aSig, aSe, bSig, bSe)) raise(DE);
  if (aSig == 0 && bSig == 0) return 0;
  const aNegative = aSe >> 15 != 0;
  if (aNegative != (bSe >> 15 != 0)) return aNegative ? 1 : 2;
  // A pseudo-denormal has the exponent of the smallest normal number.
  const aExp = (aSe & 0x7fff) | u32((aSe & 0x7fff) == 0 && aSig >> 63 != 0);
  const bExp = (bSe & 0x7fff) | u32((bSe & 0x7fff) == 0 && bSig >> 63 != 0);
  if (aExp == bExp && aSig == bSig) return 0;
  const smaller = aExp < bExp || (aExp == bExp && aSig < bSig);
  return smaller != aNegative ? 1 : 2;
}

/** Class of a value for FXAM: C3, C2, C0 as bits 2, 1, 0 (SDM vol. 2, FXAM), emptiness apart. */
export function f80Class(sig: u64, se: u32): u32 {
  if (isUnsupported(sig, se)) return 0;
  if (isNaN80(sig, se)) return 1;
  if (isInfinity(sig, se)) return 3;
  if (isZero(sig, se)) return 4;
  return isDenormal(sig, se) ? 6 : 2;
}
