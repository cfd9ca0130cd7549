// SPDX-License-Identifier: Apache-2.0
// Conversions between interchange formats and integers, by integer arithmetic.
import { raise, IE, PE } from "./environment";
import {
  exponentOf, flushed, infinity, isSignaling, magnitude, operand, roundToFormat, roundsUp, signBit, significandOf,
} from "./interchange";
import { wideHi, wideLo, wideShiftRight } from "./wide";

/** Value of format (F, X) in format (G, Y); NaNs keep the upper bits of their payload and become quiet. */
export function convertFormat(a: u64, F: i32, X: i32, G: i32, Y: i32): u64 {
  const sign = a >> (F + X);
  const t = magnitude(a, F, X);
  if (t > infinity(F, X)) {
    if (isSignaling(a, F, X)) raise(IE);
    const payload = G >= F ? t << (G - F) : t >> (F - G);
    return (sign << (G + Y)) | infinity(G, Y) | (<u64>1 << (G - 1)) | (payload & ((<u64>1 << G) - 1));
  }
  if (t == infinity(F, X)) return (sign << (G + Y)) | infinity(G, Y);
  const tf = magnitude(operand(a, F, X), F, X);
  if (tf == 0) return sign << (G + Y);
  return roundToFormat(u32(sign), exponentOf(tf, F, X), significandOf(tf, F), 0, G, Y);
}

/** A signed integer in a format. */
export function integerToFormat(value: i64, F: i32, X: i32): u64 {
  if (value == 0) return 0;
  const t: u64 = value < 0 ? -value : value;
  return roundToFormat(u32(value < 0), 63 - i32(clz(t)), t << clz(t), 0, F, X);
}

/** The last roundToInteger needs more than 64 bits. */
export let roundedOverflow: bool = false;
/** The last roundToInteger was inexact. */
export let roundedInexact: bool = false;
/** The last roundToInteger made the magnitude larger. */
export let roundedIncremented: bool = false;

/** Rounds hi / 2^63 * 2^exp (hi not zero) to an integer magnitude; raises nothing, see the three variables above. */
export function roundToInteger(sign: u32, exp: i32, hi: u64): u64 {
  roundedOverflow = false;
  roundedInexact = false;
  roundedIncremented = false;
  if (exp > 63) {
    roundedOverflow = true;
    return 0;
  }
  wideShiftRight(hi, 0, 63 - exp);
  const kept = wideHi;
  const up = roundsUp(sign, kept, wideLo, 0);
  roundedInexact = wideLo != 0;
  roundedIncremented = up;
  roundedOverflow = up && kept == u64.MAX_VALUE;
  return kept + u64(up);
}

/** To a signed integer of `bits` bits with the current rounding; the integer indefinite and IE when it does not fit. */
export function formatToSigned(a: u64, bits: i32, F: i32, X: i32): i64 {
  const indefinite: i64 = -1 << (bits - 1);
  const inf = infinity(F, X);
  if (magnitude(a, F, X) < inf) {
    a = flushed(a, F, X);
    const t = magnitude(a, F, X);
    if (t == 0) return 0;
    const sign = u32(a >> (F + X));
    const value = roundToInteger(sign, exponentOf(t, F, X), significandOf(t, F));
    if (!roundedOverflow && value <= ((<u64>1 << (bits - 1)) - 1) + sign) {
      if (roundedInexact) raise(PE);
      return sign != 0 ? -(<i64>value) : <i64>value;
    }
  }
  raise(IE);
  return indefinite;
}

/** The integer nearest to a, in a's format and with a's sign. */
export function formatRoundToInteger(a: u64, suppressInexact: bool, F: i32, X: i32): u64 {
  const inf = infinity(F, X);
  const sign = a & signBit(F, X);
  if (magnitude(a, F, X) > inf) {
    if (isSignaling(a, F, X)) raise(IE);
    return a | (<u64>1 << (F - 1));
  }
  a = flushed(a, F, X);
  const t = magnitude(a, F, X);
  if (t == inf || t == 0) return a;
  const exp = exponentOf(t, F, X);
  if (exp >= F) return a;
  const value = roundToInteger(u32(sign != 0), exp, significandOf(t, F));
  if (roundedInexact && !suppressInexact) raise(PE);
  if (value == 0) return sign;
  const top = 63 - i32(clz(value));
  return sign | ((u64(top + (1 << (X - 1)) - 2) << F) + (value << (F - top)));
}
