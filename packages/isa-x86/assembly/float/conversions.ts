// SPDX-License-Identifier: Apache-2.0
// The conversions of SSE and F16C on bit patterns, with the exceptions of environment.ts.
import { daz, ftz, raise, rounding, setFlushToZero, setRounding, NEAREST, PE, ZERO } from "./environment";
import { convertFormat, formatRoundToInteger, formatToSigned, integerToFormat } from "./convert";
import { isDenormal } from "./interchange";

/** binary32 to binary64. */
export function f32ToF64(a: u32): u64 {
  if ((a & 0x7fffffff) - 0x00800000 < 0x7f000000) return reinterpret<u64>(f64(reinterpret<f32>(a)));
  return convertFormat(a, 23, 8, 52, 11);
}

/** binary64 to binary32. */
export function f64ToF32(a: u64): u32 {
  if (rounding == NEAREST) {
    const r = f32(reinterpret<f64>(a));
    const bits = reinterpret<u32>(r);
    if ((bits & 0x7fffffff) - 0x01000000 < 0x7d800000) {
      if (f64(r) != reinterpret<f64>(a)) raise(PE);
      return bits;
    }
  }
  return u32(convertFormat(a, 52, 11, 23, 8));
}

export function i32ToF32(a: i32): u32 {
  return u32(integerToFormat(a, 23, 8));
}

export function i64ToF32(a: i64): u32 {
  return u32(integerToFormat(a, 23, 8));
}

/** Always exact. */
export function i32ToF64(a: i32): u64 {
  return reinterpret<u64>(f64(a));
}

export function i64ToF64(a: i64): u64 {
  return integerToFormat(a, 52, 11);
}

function toSigned(a: u64, truncate: bool, bits: i32, F: i32, X: i32): i64 {
  const mode = rounding;
  if (truncate) setRounding(ZERO);
  const result = formatToSigned(a, bits, F, X);
  setRounding(mode);
  return result;
}

/** To i32, rounded by the environment or truncated; 0x80000000 and IE when it does not fit. */
export function f32ToI32(a: u32, truncate: bool): i32 {
  return i32(toSigned(a, truncate, 32, 23, 8));
}

/** To i64, rounded by the environment or truncated; 0x8000000000000000 and IE when it does not fit. */
export function f32ToI64(a: u32, truncate: bool): i64 {
  return toSigned(a, truncate, 64, 23, 8);
}

/** To i32, rounded by the environment or truncated; 0x80000000 and IE when it does not fit. */
export function f64ToI32(a: u64, truncate: bool): i32 {
  return i32(toSigned(a, truncate, 32, 52, 11));
}

/** To i64, rounded by the environment or truncated; 0x8000000000000000 and IE when it does not fit. */
export function f64ToI64(a: u64, truncate: bool): i64 {
  return toSigned(a, truncate, 64, 52, 11);
}

/** ROUNDSS on one element: an integral binary32. `mode` is a rounding mode of environment.ts. */
export function f32RoundToInt(a: u32, mode: u32, suppressInexact: bool): u32 {
  const saved = rounding;
  setRounding(mode);
  const result = u32(formatRoundToInteger(a, suppressInexact, 23, 8));
  setRounding(saved);
  return result;
}

/** ROUNDSD on one element: an integral binary64. `mode` is a rounding mode of environment.ts. */
export function f64RoundToInt(a: u64, mode: u32, suppressInexact: bool): u64 {
  const saved = rounding;
  setRounding(mode);
  const result = formatRoundToInteger(a, suppressInexact, 52, 11);
  setRounding(saved);
  return result;
}

/** VCVTPH2PS on one element: exact; denormals are neither flushed nor reported (SDM vol. 2, VCVTPH2PS). */
export function f16ToF32(a: u32): u32 {
  const t = a & 0x7fff;
  if (t - 1 < 0x3ff) {
    const shift = clz(t) - 21;
    return ((a & 0x8000) << 16) | ((113 - shift) << 23) | (((t << shift) & 0x3ff) << 13);
  }
  return u32(convertFormat(a, 10, 5, 23, 8));
}

/** VCVTPS2PH on one element. `mode` is a rounding mode of environment.ts; results are never flushed to zero. */
export function f32ToF16(a: u32, mode: u32): u32 {
  // A denormal is inexact even where an unmasked underflow lets others be judged by an unbounded exponent.
  if (!daz && isDenormal(a, 23, 8)) raise(PE);
  const saved = rounding;
  const savedFtz = ftz;
  setRounding(mode);
  setFlushToZero(false);
  const result = u32(convertFormat(a, 23, 8, 10, 5));
  setRounding(saved);
  setFlushToZero(savedFtz);
  return result;
}
