// SPDX-License-Identifier: Apache-2.0
// FSIN, FCOS, FPTAN and FPATAN. Arguments are reduced with the processor's 66-bit pi (SDM vol. 1, 8.3.8), so results
// near multiples of pi differ from the mathematical ones just as the processor's do.
import {
  anyDenormal, exponent80, invalid80, isInfinity, isUnordered, isZero, propagate80, propagateOne80, round80, roundInexact80, setResult,
  setZero, significand80,
} from "./float80";
import { raise, DE, PE } from "./environment";
import { ARCTANGENTS, ATAN_TERMS, COSINE_SERIES, ODD_SERIES, SINE_SERIES, SINE_TERMS } from "./series";
import { setWide, wideAdd, wideExp, wideHi, wideLo, wideNormalize } from "./wide";
import { productHi, productLo, product128, series, squareFraction, wideProduct, wideQuotient } from "./wide-math";

/** pi/2 in units of 2^-65, upper and lower part. */
const HALF_PI_HI: u64 = 3;
const HALF_PI_LO: u64 = 0x243f6a8885a308d3;
/** Significand of pi, 128 bits, for FPATAN. */
const PI_HI: u64 = 0xc90fdaa22168c234;
const PI_LO: u64 = 0xc4c6628b80dc1cd1;

/** The argument is quadrant * pi/2 + reduced, |reduced| <= pi/4. */
let quadrant: u32 = 0;
let reducedSign: u32 = 0;
let reducedExp: i32 = 0;
let reducedHi: u64 = 0;
let reducedLo: u64 = 0;

/** Reduces a positive argument with exponent below 63. */
function reduce(exp: i32, sig: u64): void {
  quadrant = 0;
  reducedSign = 0;
  reducedExp = exp;
  reducedHi = sig;
  reducedLo = 0;
  if (exp < -1) return;
  let hi: u64 = 0;
  let lo = sig;
  for (let n = exp + 2; n > 0; n--) {
    hi = (hi << 1) | (lo >> 63);
    lo <<= 1;
    quadrant <<= 1;
    if (hi > HALF_PI_HI || (hi == HALF_PI_HI && lo >= HALF_PI_LO)) {
      hi -= HALF_PI_HI + u64(lo < HALF_PI_LO);
      lo -= HALF_PI_LO;
      quadrant |= 1;
    }
  }
  const restHi = HALF_PI_HI - hi - u64(HALF_PI_LO < lo);
  const restLo = HALF_PI_LO - lo;
  if (hi > restHi || (hi == restHi && lo > restLo)) {
    hi = restHi;
    lo = restLo;
    quadrant++;
    reducedSign = 1;
  }
  // hi:lo counts units of 2^-65, so its bit 127 has the weight 2^62.
  wideNormalize(0, 62, hi, lo);
  reducedExp = wideExp;
  reducedHi = wideHi;
  reducedLo = wideLo;
}

/** A series that has come out as 1 is less than that by what 128 bits cannot show; directed rounding has to see it. */
function belowOne(): void {
  if (wideExp == 0) setWide(0, -1, u64.MAX_VALUE, u64.MAX_VALUE);
}

/** Sine of the reduced argument's magnitude as a wide number. */
function reducedSine(): void {
  squareFraction(reducedExp, reducedHi, reducedLo);
  series(SINE_SERIES, SINE_TERMS, productHi, productLo, true);
  belowOne();
  wideProduct(0, wideExp, wideHi, wideLo, reducedExp, reducedHi, reducedLo);
}

/** Cosine of the reduced argument as a wide number. */
function reducedCosine(): void {
  squareFraction(reducedExp, reducedHi, reducedLo);
  series(COSINE_SERIES, SINE_TERMS, productHi, productLo, true);
  belowOne();
}

/** Rounds the wide number, which is truncated. */
function roundWide(sign: u32): void {
  roundInexact80(sign, wideExp, wideHi, wideLo | 1);
}

/** Below 2^-68 the processor takes the argument itself for its sine and tangent, and 1 for its cosine. */
function isTiny(sig: u64, se: u32): bool {
  return exponent80(sig, se) < -68;
}

/** The argument as an inexact result. */
function resultIsArgument(sig: u64, se: u32): void {
  roundInexact80(se >> 15, exponent80(sig, se), significand80(sig), 0);
}

/** The argument is too large for reduction: C2, and no result. */
export function outOfRange(sig: u64, se: u32): bool {
  return !isUnordered(sig, se) && !isInfinity(sig, se) && !isZero(sig, se) && exponent80(sig, se) >= 63;
}

/** Sine of a number that is neither NaN, infinite, zero nor out of range; cosine with turn = 1. */
function sineOf(sig: u64, se: u32, turn: u32): void {
  reduce(exponent80(sig, se), significand80(sig));
  const n = quadrant + turn;
  if ((n & 1) != 0) {
    reducedCosine();
    // The cosine is even; the sine of a negative argument is the negative one.
    roundWide(((n >> 1) & 1) ^ (turn != 0 ? 0 : se >> 15));
  } else {
    reducedSine();
    roundWide(((n >> 1) & 1) ^ reducedSign ^ (turn != 0 ? 0 : se >> 15));
  }
}

/** NaN, unsupported and infinite arguments; true when one of them has been dealt with. Reports denormals. */
function special(sig: u64, se: u32): bool {
  if (isUnordered(sig, se)) propagateOne80(sig, se);
  else if (isInfinity(sig, se)) invalid80();
  else {
    if (anyDenormal(sig, se, sig, se)) raise(DE);
    return false;
  }
  return true;
}

export function f80Sine(sig: u64, se: u32): void {
  if (special(sig, se)) return;
  if (isZero(sig, se)) setResult(sig, se);
  else if (isTiny(sig, se)) resultIsArgument(sig, se);
  else sineOf(sig, se, 0);
}

export function f80Cosine(sig: u64, se: u32): void {
  if (special(sig, se)) return;
  if (isZero(sig, se) || isTiny(sig, se)) {
    if (sig != 0) raise(PE);
    setResult(0x8000000000000000, 0x3fff);
  } else sineOf(sig, se, 1);
}

export function f80Tangent(sig: u64, se: u32): void {
  if (special(sig, se)) return;
  if (isZero(sig, se)) {
    setResult(sig, se);
    return;
  }
  if (isTiny(sig, se)) {
    resultIsArgument(sig, se);
    return;
  }
  reduce(exponent80(sig, se), significand80(sig));
  if (reducedExp <= -34 && quadrant == 0) {
    // The processor's tangent of so small an argument errs to the side of zero.
    reducedSine();
    roundWide(se >> 15);
    return;
  }
  reducedCosine();
  const cosineExp = wideExp;
  const cosineHi = wideHi;
  const cosineLo = wideLo;
  reducedSine();
  if ((quadrant & 1) != 0) wideQuotient(0, cosineExp, cosineHi, cosineLo, wideExp, wideHi, wideLo);
  else wideQuotient(0, wideExp, wideHi, wideLo, cosineExp, cosineHi, cosineLo);
  roundWide((se >> 15) ^ reducedSign ^ (quadrant & 1));
}

/** Arctangent of a wide number in (0, 1]; the result is the wide number. */
function arctangent(exp: i32, hi: u64, lo: u64): void {
  // The nearest multiple of 1/8 is taken out: arctan r = arctan c + arctan((r - c) / (1 + r c)).
  let n: u32 = 0;
  if (exp >= -4) n = u32(((hi >> (-exp)) + (<u64>1 << 59)) >> 60);
  if (n == 0) {
    squareFraction(exp, hi, lo);
    series(ODD_SERIES, ATAN_TERMS, productHi, productLo, true);
    wideProduct(0, exp, hi, lo, wideExp, wideHi, wideLo);
    return;
  }
  // r and c with 127 fraction bits
  const rHi = exp == 0 ? hi : hi >> (-exp);
  const rLo = exp == 0 ? lo : (lo >> (-exp)) | (hi << (64 + exp));
  const cHi = u64(n) << 60;
  const negative = rHi < cHi;
  let dHi = negative ? cHi - rHi - u64(rLo != 0) : rHi - cHi;
  let dLo = negative ? <u64>0 - rLo : rLo;
  const at = ARCTANGENTS + (usize(n) << 4);
  const baseHi = load<u64>(at);
  const baseLo = load<u64>(at, 8);
  if ((dHi | dLo) == 0) {
    wideNormalize(0, 0, baseHi, baseLo);
    return;
  }
  // 1 + r c with 126 fraction bits
  product128(rHi, rLo, cHi, 0);
  const sumHi = (<u64>1 << 62) + productHi;
  const sumLo = productLo;
  wideNormalize(0, 0, dHi, dLo);
  const dExp = wideExp;
  dHi = wideHi;
  dLo = wideLo;
  wideNormalize(0, 1, sumHi, sumLo);
  wideQuotient(0, dExp, dHi, dLo, wideExp, wideHi, wideLo);
  const uExp = wideExp;
  const uHi = wideHi;
  const uLo = wideLo;
  squareFraction(uExp, uHi, uLo);
  series(ODD_SERIES, ATAN_TERMS, productHi, productLo, true);
  wideProduct(0, uExp, uHi, uLo, wideExp, wideHi, wideLo);
  const partExp = wideExp;
  const partHi = wideHi;
  const partLo = wideLo;
  wideNormalize(0, 0, baseHi, baseLo);
  wideAdd(0, wideExp, wideHi, wideLo, u32(negative), partExp, partHi, partLo);
}

/** A multiple of pi/4 as the result: quarters 1, 2, 3 or 4. */
function quartersOfPi(sign: u32, quarters: u32): void {
  if (quarters == 3) round80(sign, 1, 0x96cbe3f9990e91a7, 0x9394c9e8a0a5159d, 64);
  else round80(sign, quarters == 1 ? -1 : quarters == 2 ? 0 : 1, PI_HI, PI_LO, 64);
}

/** FPATAN: the angle of the point (x, y). */
export function f80Arctangent(ySig: u64, ySe: u32, xSig: u64, xSe: u32): void {
  if (isUnordered(ySig, ySe) || isUnordered(xSig, xSe)) {
    propagate80(ySig, ySe, xSig, xSe);
    return;
  }
  if (anyDenormal(ySig, ySe, xSig, xSe)) raise(DE);
  const sign = ySe >> 15;
  const left = xSe >> 15;
  if (isInfinity(ySig, ySe)) {
    quartersOfPi(sign, isInfinity(xSig, xSe) ? (left != 0 ? 3 : 1) : 2);
    return;
  }
  if (isInfinity(xSig, xSe) || ySig == 0) {
    if (left != 0) quartersOfPi(sign, 4);
    else setZero(sign);
    return;
  }
  if (xSig == 0) {
    quartersOfPi(sign, 2);
    return;
  }
  const yExp = exponent80(ySig, ySe);
  const xExp = exponent80(xSig, xSe);
  ySig = significand80(ySig);
  xSig = significand80(xSig);
  const steep = yExp > xExp || (yExp == xExp && ySig > xSig);
  if (steep) wideQuotient(0, xExp, xSig, 0, yExp, ySig, 0);
  else wideQuotient(0, yExp, ySig, 0, xExp, xSig, 0);
  if (!steep && left == 0 && wideExp <= -41) {
    // The processor takes the ratio for the angle.
    roundInexact80(sign, wideExp, wideHi, wideLo);
    return;
  }
  arctangent(wideExp, wideHi, wideLo);
  // A steep angle is pi/2 minus the other one; the left half plane has pi minus the angle.
  if (steep) wideAdd(0, 0, PI_HI, PI_LO, u32(left == 0), wideExp, wideHi, wideLo);
  else if (left != 0) wideAdd(0, 1, PI_HI, PI_LO, 1, wideExp, wideHi, wideLo);
  roundWide(sign);
}
