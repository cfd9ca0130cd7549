// SPDX-License-Identifier: Apache-2.0
// FSIN, FCOS and FPTAN. Arguments are reduced with the processor's 66-bit pi (SDM vol. 1, 8.3.8), so results
// near multiples of pi differ from the mathematical ones just as the processor's do.
import { raise, DE, PE } from "./environment";
import {
  anyDenormal, exponent80, invalid80, isInfinity, isUnordered, isZero, propagateOne80, roundInexact80, setResult,
  significand80,
} from "./float80";
import { COSINE_SERIES, SINE_SERIES, SINE_TERMS } from "./series";
import { setWide, wideExp, wideHi, wideLo, wideNormalize } from "./wide";
import { productHi, productLo, series, squareFraction, wideProduct, wideQuotient } from "./wide-math";

/** pi/2 in units of 2^-65, upper and lower part. */
const HALF_PI_HI: u64 = 3;
const HALF_PI_LO: u64 = 0x243f6a8885a308d3;

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
