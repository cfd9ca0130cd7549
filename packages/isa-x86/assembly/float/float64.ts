// SPDX-License-Identifier: Apache-2.0
// binary64 on bit patterns, with the exceptions of environment.ts. Rounding to nearest with normal operands and results
// takes the wasm instruction and works out from the operands whether it was exact; all else takes integer arithmetic.
import { daz, inexactKnown, raise, rounding, NEAREST, PE } from "./environment";
import {
  formatAdd, formatCompare, formatDiv, formatFma, formatMul, formatSqrt,
} from "./interchange";

const F: i32 = 52;
const X: i32 = 11;
const SIGN: u64 = 0x8000000000000000;

/** Neither zero, denormal, infinite nor NaN. */
function isNormal(a: u64): bool {
  return (a & 0x7fffffffffffffff) - 0x0010000000000000 < 0x7fe0000000000000;
}

/** Normal and not close to overflow or underflow: the results that the fast paths may give. */
function isOrdinary(a: u64): bool {
  return (a & 0x7fffffffffffffff) - 0x0020000000000000 < 0x7fb0000000000000;
}

/** Whether the exact product of two normal numbers has more than 53 significant bits, r being the rounded one. */
function productInexact(a: u64, b: u64, r: u64): bool {
  const carry = u64(((r >> 52) & 0x7ff) + 1023 > ((a >> 52) & 0x7ff) + ((b >> 52) & 0x7ff));
  return ctz(a | 0x0010000000000000) + ctz(b | 0x0010000000000000) < 52 + carry;
}

/** Error term of a sum (Knuth's TwoSum): exact unless something overflows. */
function sumInexact(a: f64, b: f64, sum: f64): bool {
  const bPart = sum - a;
  return a - (sum - bPart) + (b - bPart) != 0.0;
}

function add(a: u64, b: u64, negate: u64): u64 {
  if (rounding == NEAREST && isNormal(a) && isNormal(b)) {
    const x = reinterpret<f64>(a);
    const y = reinterpret<f64>(b ^ negate);
    const sum = x + y;
    const r = reinterpret<u64>(sum);
    if (isOrdinary(r)) {
      if (inexactKnown || sumInexact(x, y, sum)) raise(PE);
      return r;
    }
  }
  return formatAdd(a, b, negate, F, X);
}

export function f64Add(a: u64, b: u64): u64 {
  return add(a, b, 0);
}

export function f64Sub(a: u64, b: u64): u64 {
  return add(a, b, SIGN);
}

export function f64Mul(a: u64, b: u64): u64 {
  if (rounding == NEAREST && isNormal(a) && isNormal(b)) {
    const r = reinterpret<u64>(reinterpret<f64>(a) * reinterpret<f64>(b));
    if (isOrdinary(r)) {
      if (inexactKnown || productInexact(a, b, r)) raise(PE);
      return r;
    }
  }
  return formatMul(a, b, F, X);
}

export function f64Div(a: u64, b: u64): u64 {
  if (rounding == NEAREST && isNormal(a) && isNormal(b)) {
    const quotient = reinterpret<f64>(a) / reinterpret<f64>(b);
    const r = reinterpret<u64>(quotient);
    if (isOrdinary(r)) {
      // Exact if and only if quotient * b is a without rounding.
      if (inexactKnown || quotient * reinterpret<f64>(b) != reinterpret<f64>(a) || productInexact(r, b, a)) raise(PE);
      return r;
    }
  }
  return formatDiv(a, b, F, X);
}

export function f64Sqrt(a: u64): u64 {
  if (rounding == NEAREST && a < SIGN && isNormal(a)) {
    const root = sqrt<f64>(reinterpret<f64>(a));
    const r = reinterpret<u64>(root);
    if (inexactKnown || root * root != reinterpret<f64>(a) || productInexact(r, r, a)) raise(PE);
    return r;
  }
  return formatSqrt(a, F, X);
}

/** a * b + c rounded once; the first NaN of a, b, c wins. Sign variants are the caller's, on operands not NaN. */
export function f64Fma(a: u64, b: u64, c: u64): u64 {
  return formatFma(a, b, c, F, X);
}

/** MINSD: the second operand when either is a NaN or both are zero (SDM vol. 2, MINSD). */
export function f64Min(a: u64, b: u64): u64 {
  return compare(a, b, false) == 1 ? flush(a) : flush(b);
}

/** MAXSD: the second operand when either is a NaN or both are zero. */
export function f64Max(a: u64, b: u64): u64 {
  return compare(a, b, false) == 2 ? flush(a) : flush(b);
}

function flush(a: u64): u64 {
  return daz && (a & 0x7ff0000000000000) == 0 ? a & SIGN : a;
}

/** 0 equal, 1 less, 2 greater, 3 unordered; IE for any NaN. */
export function f64CompareOrdered(a: u64, b: u64): u32 {
  return compare(a, b, false);
}

/** 0 equal, 1 less, 2 greater, 3 unordered; IE for signaling NaNs only. */
export function f64CompareQuiet(a: u64, b: u64): u32 {
  return compare(a, b, true);
}

function compare(a: u64, b: u64, quiet: bool): u32 {
  if (isNormal(a) && isNormal(b)) {
    const x = reinterpret<f64>(a);
    const y = reinterpret<f64>(b);
    return x == y ? 0 : x < y ? 1 : 2;
  }
  return formatCompare(a, b, quiet, F, X);
}
