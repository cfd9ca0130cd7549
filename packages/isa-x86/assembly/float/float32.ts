// SPDX-License-Identifier: Apache-2.0
// binary32 on bit patterns, with the exceptions of environment.ts. Rounding to nearest with normal operands and results
// goes through binary64: its 53 bits make the second rounding harmless and hold products of binary32 exactly.
import { daz, inexactKnown, raise, rounding, NEAREST, PE } from "./environment";
import { formatAdd, formatCompare, formatDiv, formatFma, formatMul, formatSqrt } from "./interchange";

const F: i32 = 23;
const X: i32 = 8;
const SIGN: u32 = 0x80000000;

/** Neither zero, denormal, infinite nor NaN. */
function isNormal(a: u32): bool {
  return (a & 0x7fffffff) - 0x00800000 < 0x7f000000;
}

/** Normal and not close to overflow or underflow: the results that the fast paths may give. */
function isOrdinary(a: u32): bool {
  return (a & 0x7fffffff) - 0x01000000 < 0x7d800000;
}

function value(a: u32): f64 {
  return f64(reinterpret<f32>(a));
}

/** Error term of a sum (Knuth's TwoSum): exact unless something overflows. */
function sumInexact(a: f32, b: f32, sum: f32): bool {
  const bPart = sum - a;
  return a - (sum - bPart) + (b - bPart) != 0.0;
}

function add(a: u32, b: u32, negate: u32): u32 {
  if (rounding == NEAREST && isNormal(a) && isNormal(b)) {
    const x = reinterpret<f32>(a);
    const y = reinterpret<f32>(b ^ negate);
    const sum = x + y;
    const r = reinterpret<u32>(sum);
    if (isOrdinary(r)) {
      if (inexactKnown || sumInexact(x, y, sum)) raise(PE);
      return r;
    }
  }
  return u32(formatAdd(a, b, negate, F, X));
}

export function f32Add(a: u32, b: u32): u32 {
  return add(a, b, 0);
}

export function f32Sub(a: u32, b: u32): u32 {
  return add(a, b, SIGN);
}

export function f32Mul(a: u32, b: u32): u32 {
  if (rounding == NEAREST && isNormal(a) && isNormal(b)) {
    const product = value(a) * value(b);
    const r = reinterpret<u32>(f32(product));
    if (isOrdinary(r)) {
      if (value(r) != product) raise(PE);
      return r;
    }
  }
  return u32(formatMul(a, b, F, X));
}

export function f32Div(a: u32, b: u32): u32 {
  if (rounding == NEAREST && isNormal(a) && isNormal(b)) {
    const r = reinterpret<u32>(reinterpret<f32>(a) / reinterpret<f32>(b));
    if (isOrdinary(r)) {
      if (value(r) * value(b) != value(a)) raise(PE);
      return r;
    }
  }
  return u32(formatDiv(a, b, F, X));
}

export function f32Sqrt(a: u32): u32 {
  if (rounding == NEAREST && a < SIGN && isNormal(a)) {
    const r = reinterpret<u32>(sqrt<f32>(reinterpret<f32>(a)));
    if (value(r) * value(r) != value(a)) raise(PE);
    return r;
  }
  return u32(formatSqrt(a, F, X));
}

/** a * b + c rounded once; the first NaN of a, b, c wins. Sign variants are the caller's, on operands not NaN. */
export function f32Fma(a: u32, b: u32, c: u32): u32 {
  if (rounding == NEAREST && isNormal(a) && isNormal(b) && isNormal(c)) {
    const product = value(a) * value(b);
    const addend = value(c);
    const sum = product + addend;
    const part = sum - product;
    const error = product - (sum - part) + (addend - part);
    // Rounding the sum to odd in binary64 lets the rounding to binary32 see that there is more (Boldo, Melquiond 2008).
    let bits = reinterpret<u64>(sum);
    if (error != 0.0) bits = (bits - u64(error > 0.0 != sum > 0.0)) | 1;
    const odd = reinterpret<f64>(bits);
    const r = reinterpret<u32>(f32(odd));
    if (isOrdinary(r)) {
      if (value(r) != odd) raise(PE);
      return r;
    }
  }
  return u32(formatFma(a, b, c, F, X));
}

/** MINSS: the second operand when either is a NaN or both are zero (SDM vol. 2, MINSS). */
export function f32Min(a: u32, b: u32): u32 {
  return compare(a, b, false) == 1 ? flush(a) : flush(b);
}

/** MAXSS: the second operand when either is a NaN or both are zero. */
export function f32Max(a: u32, b: u32): u32 {
  return compare(a, b, false) == 2 ? flush(a) : flush(b);
}

function flush(a: u32): u32 {
  return daz && (a & 0x7f800000) == 0 ? a & SIGN : a;
}

/** 0 equal, 1 less, 2 greater, 3 unordered; IE for any NaN. */
export function f32CompareOrdered(a: u32, b: u32): u32 {
  return compare(a, b, false);
}

/** 0 equal, 1 less, 2 greater, 3 unordered; IE for signaling NaNs only. */
export function f32CompareQuiet(a: u32, b: u32): u32 {
  return compare(a, b, true);
}

function compare(a: u32, b: u32, quiet: bool): u32 {
  if (isNormal(a) && isNormal(b)) {
    const x = reinterpret<f32>(a);
    const y = reinterpret<f32>(b);
    return x == y ? 0 : x < y ? 1 : 2;
  }
  return formatCompare(a, b, quiet, F, X);
}
