// SPDX-License-Identifier: Apache-2.0
// The 80-bit double extended format: a significand whose integer bit is explicit, and a word of sign (bit 15) and
// exponent (bias 16383). Classes of values, NaN rules and rounding (SDM vol. 1, 4.2.2, 4.8.3, 8.2.2, 8.5).
import { masks, precision, raise, rounding, setRoundedUp, DOWN, IE, NEAREST, OE, PE, UE, UP } from "./environment";
import { roundsUp } from "./interchange";
import { wideHi, wideLo, wideShiftRight } from "./wide";

export const BIAS: i32 = 16383;
export const INTEGER_BIT: u64 = 0x8000000000000000;
const QUIET_BIT: u64 = 0x4000000000000000;
/** The exponent's adjustment in a result whose underflow or overflow is unmasked (SDM vol. 1, 8.5.4, 8.5.5). */
const EXPONENT_ADJUST: i32 = 24576;

/** The last result: significand. */
export let resultSig: u64 = 0;
/** The last result: sign and exponent. */
export let resultSe: u32 = 0;

export function setResult(sig: u64, se: u32): void {
  resultSig = sig;
  resultSe = se;
}

export function isZero(sig: u64, se: u32): bool {
  return (se & 0x7fff) == 0 && sig == 0;
}

/** Denormal or pseudo-denormal. */
export function isDenormal(sig: u64, se: u32): bool {
  return (se & 0x7fff) == 0 && sig != 0;
}

/** The operand that came from memory was denormal there. */
export let operandDenormal: bool = false;

export function setOperandDenormal(denormal: bool): void {
  operandDenormal = denormal;
}

/** Whether an operation on these operands reports DE. */
export function anyDenormal(aSig: u64, aSe: u32, bSig: u64, bSe: u32): bool {
  return operandDenormal || isDenormal(aSig, aSe) || isDenormal(bSig, bSe);
}

export function isInfinity(sig: u64, se: u32): bool {
  return (se & 0x7fff) == 0x7fff && sig == INTEGER_BIT;
}

export function isNaN80(sig: u64, se: u32): bool {
  return (se & 0x7fff) == 0x7fff && sig > INTEGER_BIT;
}

export function isSignaling80(sig: u64, se: u32): bool {
  return isNaN80(sig, se) && (sig & QUIET_BIT) == 0;
}

/** Unnormal, pseudo-infinity or pseudo-NaN: encodings that the processor refuses (SDM vol. 1, 8.2.2). */
export function isUnsupported(sig: u64, se: u32): bool {
  return (se & 0x7fff) != 0 && sig < INTEGER_BIT;
}

/** NaN or unsupported. */
export function isUnordered(sig: u64, se: u32): bool {
  return isUnsupported(sig, se) || isNaN80(sig, se);
}

/** Exponent of the leading bit of a finite number that is not zero. */
export function exponent80(sig: u64, se: u32): i32 {
  const biased = i32(se & 0x7fff);
  return (biased != 0 ? biased : 1) - BIAS - i32(clz(sig));
}

/** Significand with its leading bit in bit 63. */
export function significand80(sig: u64): u64 {
  return sig << clz(sig);
}

/** The result is the real indefinite, IE is raised. */
export function invalid80(): void {
  raise(IE);
  setResult(INTEGER_BIT | QUIET_BIT, 0xffff);
}

/** The result of one operand that is NaN or unsupported. */
export function propagateOne80(sig: u64, se: u32): void {
  if (isUnsupported(sig, se)) {
    invalid80();
    return;
  }
  if (isSignaling80(sig, se)) raise(IE);
  setResult(sig | QUIET_BIT, se);
}

/** The result of two operands of which at least one is NaN or unsupported (SDM vol. 1, table 4-7). */
export function propagate80(aSig: u64, aSe: u32, bSig: u64, bSe: u32): void {
  if (isUnsupported(aSig, aSe) || isUnsupported(bSig, bSe)) {
    invalid80();
    return;
  }
  const aSignaling = isSignaling80(aSig, aSe);
  const bSignaling = isSignaling80(bSig, bSe);
  if (aSignaling || bSignaling) raise(IE);
  let first = isNaN80(aSig, aSe);
  if (first && isNaN80(bSig, bSe)) {
    if (aSignaling != bSignaling) first = bSignaling;
    else first = aSig == bSig ? aSe < bSe : aSig > bSig;
  }
  if (first) setResult(aSig | QUIET_BIT, aSe);
  else setResult(bSig | QUIET_BIT, bSe);
}

/** The next rounding counts as inexact in any case. */
let alwaysInexact: bool = false;

/** Rounds the result of a transcendental function to 64 bits: PE always, and UE with it when the result is tiny. */
export function roundInexact80(sign: u32, exp: i32, hi: u64, lo: u64): void {
  alwaysInexact = true;
  round80(sign, exp, hi, lo, 64);
  alwaysInexact = false;
}

/** Rounds a wide number (hi not zero) to `bits` significant bits in the range of the format; sets the result. */
export function round80(sign: u32, exp: i32, hi: u64, lo: u64, bits: i32): void {
  const drop: u64 = 64 - bits;
  const unit: u64 = <u64>1 << drop;
  let biased = exp + BIAS;
  let tiny = false;
  if (biased <= 0) {
    const rest = bits == 64 ? lo : hi << bits;
    const sticky = bits == 64 ? 0 : lo;
    // Tiny, unless rounding with an unbounded exponent range carries into the smallest normal number.
    const carries = (hi & ~(unit - 1)) == <u64>0 - unit && roundsUp(sign, 1, rest, sticky);
    tiny = biased < 0 || !carries;
    if (tiny && (masks & UE) == 0) {
      raise(UE);
      biased += EXPONENT_ADJUST;
      if (biased <= 0) {
        // Only FSCALE gets so far; the adjusted result still has no representation.
        raise(PE);
        setZero(sign);
        return;
      }
    } else {
      wideShiftRight(hi, lo, 1 - biased);
      hi = wideHi;
      lo = wideLo;
      biased = 0;
    }
  }
  const rest = bits == 64 ? lo : hi << bits;
  const sticky = bits == 64 ? 0 : lo;
  const up = roundsUp(sign, (hi >> drop) & 1, rest, sticky);
  setRoundedUp(up);
  const inexact = alwaysInexact || (rest | sticky) != 0;
  let sig = hi & ~(unit - 1);
  if (up) {
    sig += unit;
    if (sig == 0) {
      sig = INTEGER_BIT;
      biased++;
    }
  }
  if (biased == 0 && sig >> 63 != 0) biased = 1;
  if (biased >= 0x7fff) {
    if ((masks & OE) != 0) {
      overflow80(sign, bits);
      return;
    }
    raise(OE);
    biased -= EXPONENT_ADJUST;
    if (biased >= 0x7fff) {
      raise(PE);
      setRoundedUp(true);
      setInfinity(sign);
      return;
    }
  }
  if (inexact) raise(tiny ? UE | PE : PE);
  setResult(sig, (sign << 15) | u32(biased));
}

/** The masked response to an overflow. */
export function overflow80(sign: u32, bits: i32): void {
  raise(OE | PE);
  const toInfinity = rounding == NEAREST || (rounding == UP ? sign == 0 : rounding == DOWN && sign != 0);
  setRoundedUp(toInfinity);
  if (toInfinity) setResult(INTEGER_BIT, (sign << 15) | 0x7fff);
  else setResult(u64.MAX_VALUE << (64 - bits), (sign << 15) | 0x7ffe);
}

/** Rounds to the precision of the control word. */
export function roundToPrecision(sign: u32, exp: i32, hi: u64, lo: u64): void {
  round80(sign, exp, hi, lo, precision);
}

export function setZero(sign: u32): void {
  setResult(0, sign << 15);
}

export function setInfinity(sign: u32): void {
  setResult(INTEGER_BIT, (sign << 15) | 0x7fff);
}

/** Makes the result negative when sign is 1. */
export function signResult(sign: u32): void {
  resultSe |= sign << 15;
}
