// SPDX-License-Identifier: Apache-2.0
// Conversions between 80-bit values and binary32, binary64, integers and packed decimals, and FRNDINT.
import { raise, setRoundedUp, DE, IE, PE } from "./environment";
import { roundedInexact, roundedIncremented, roundedOverflow, roundToInteger } from "./convert";
import {
  exponent80, isDenormal, isInfinity, isNaN80, isUnordered, isUnsupported, isSignaling80, isZero, propagateOne80,
  setOperandDenormal, setResult, setZero, signResult, significand80, BIAS, INTEGER_BIT,
} from "./float80";
import { exponentOf, infinity, invalid, magnitude, roundToFormat, significandOf } from "./interchange";

/**
 * A binary32 (F 23, X 8) or binary64 (F 52, X 11) becomes the result. Nothing is raised: signaling NaNs stay signaling,
 * and `operandDenormal` remembers a denormal, which is none any more as an 80-bit value, for the operation to report.
 */
export function f80FromFormat(a: u64, F: i32, X: i32): void {
  const t = magnitude(a, F, X);
  const sign = u32(a >> (F + X)) << 15;
  if (t >= infinity(F, X)) {
    const fraction = t << (63 - F);
    setResult(fraction | INTEGER_BIT, sign | 0x7fff);
  } else if (t == 0) {
    setResult(0, sign);
  } else {
    setOperandDenormal(t >> F == 0);
    setResult(significandOf(t, F), sign | u32(exponentOf(t, F, X) + BIAS));
  }
}

/** To binary32 or binary64, rounded. */
export function f80ToFormat(sig: u64, se: u32, F: i32, X: i32): u64 {
  const sign = u64(se >> 15) << (F + X);
  if (isUnsupported(sig, se)) return invalid(F, X);
  if (isNaN80(sig, se)) {
    if (isSignaling80(sig, se)) raise(IE);
    return sign | infinity(F, X) | (<u64>1 << (F - 1)) | ((sig << 1) >> (64 - F));
  }
  if (isInfinity(sig, se)) return sign | infinity(F, X);
  if (isZero(sig, se)) return sign;
  return roundToFormat(se >> 15, exponent80(sig, se), significand80(sig), 0, F, X);
}

/** A signed integer becomes the result; exact. */
export function f80FromInteger(value: i64): void {
  if (value == 0) {
    setZero(0);
    return;
  }
  const t: u64 = value < 0 ? -value : value;
  const shift = clz(t);
  setResult(t << shift, (u32(value < 0) << 15) | u32(63 + BIAS - i32(shift)));
}

/** To a signed integer of `bits` bits; the integer indefinite and IE when it does not fit. */
export function f80ToInteger(sig: u64, se: u32, bits: i32): i64 {
  if (isZero(sig, se)) return 0;
  if (!isUnordered(sig, se) && !isInfinity(sig, se)) {
    const sign = se >> 15;
    const value = roundToInteger(sign, exponent80(sig, se), significand80(sig));
    if (!roundedOverflow && value <= ((<u64>1 << (bits - 1)) - 1) + sign) {
      if (roundedInexact) raise(PE);
      setRoundedUp(roundedIncremented);
      return sign != 0 ? -(<i64>value) : <i64>value;
    }
  }
  raise(IE);
  return -1 << (bits - 1);
}

/** FRNDINT */
export function f80Round(sig: u64, se: u32): void {
  if (isUnordered(sig, se)) {
    propagateOne80(sig, se);
    return;
  }
  if (isDenormal(sig, se)) raise(DE);
  const exp = exponent80(sig, se);
  if (isZero(sig, se) || isInfinity(sig, se) || exp >= 63) {
    setResult(sig, se);
    return;
  }
  const value = roundToInteger(se >> 15, exp, significand80(sig));
  setRoundedUp(roundedIncremented);
  if (roundedInexact) raise(PE);
  if (value == 0) setZero(se >> 15);
  else setResult(value << clz(value), (se & 0x8000) | u32(63 + BIAS - i32(clz(value))));
}

const BCD_LIMIT: u64 = 1000000000000000000;

/** FBSTP: writes 10 bytes at `to`; the decimal indefinite and IE when the value has more than 18 digits. */
export function f80ToBcd(sig: u64, se: u32, to: usize): void {
  let value: u64 = 0;
  let fits = isZero(sig, se);
  if (!fits && !isUnordered(sig, se) && !isInfinity(sig, se)) {
    value = roundToInteger(se >> 15, exponent80(sig, se), significand80(sig));
    fits = !roundedOverflow && value < BCD_LIMIT;
    if (fits) {
      if (roundedInexact) raise(PE);
      setRoundedUp(roundedIncremented);
    }
  }
  if (!fits) {
    raise(IE);
    store<u64>(to, 0xc000000000000000);
    store<u16>(to + 8, 0xffff);
    return;
  }
  for (let i: usize = 0; i < 9; i++) {
    const pair = value % 100;
    value /= 100;
    store<u8>(to + i, u8(((pair / 10) << 4) | (pair % 10)));
  }
  store<u8>(to + 9, u8((se >> 8) & 0x80));
}

/** FBLD: 10 bytes at `from` become the result. Digits above 9 count with their value, as on the processor. */
export function f80FromBcd(from: usize): void {
  let value: u64 = 0;
  for (let i: i32 = 8; i >= 0; i--) {
    const pair = u64(load<u8>(from + i));
    value = value * 100 + (pair >> 4) * 10 + (pair & 15);
  }
  const sign = u32(load<u8>(from + 9) >> 7);
  f80FromInteger(<i64>value);
  signResult(sign);
}
