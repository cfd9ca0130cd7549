// SPDX-License-Identifier: Apache-2.0
// RCPPS and RSQRTPS. The SDM only bounds their error (1.5 * 2^-12); these give the same bits as Intel processors do:
// the function at the middle of one of 2048 intervals, rounded to 13 bits with the leading one.
import { slot0, slot1 } from "./result";

const SIGN: u32 = 0x8000_0000;
const INFINITY: u32 = 0x7f80_0000;
const QUIET: u32 = 0x0040_0000;
const DEFAULT_NAN: u32 = 0xffc0_0000;

/** 13 bits as the significand of a binary32 with biased exponent `exponent`. */
function assemble(sign: u32, exponent: u32, significand: u32): u32 {
  return sign | (exponent << 23) | ((significand & 0xfff) << 11);
}

function reciprocal(a: u32): u32 {
  const sign = a & SIGN;
  const t = a ^ sign;
  if (t > INFINITY) return a | QUIET;
  const exponent = t >> 23;
  if (exponent == 0) return sign | INFINITY;
  // Reciprocals of 2^126 and more would be denormal.
  if (exponent >= 253) return sign;
  // 2^13 / (1 + (interval + 1/2) / 2^11), rounded
  const divisor = (((t >> 12) & 0x7ff) << 1) + 4097;
  return assemble(sign, 253 - exponent, ((1 << 26) + divisor) / (2 * divisor));
}

function reciprocalSqrt(a: u32): u32 {
  const sign = a & SIGN;
  const t = a ^ sign;
  if (t > INFINITY) return a | QUIET;
  const exponent = t >> 23;
  if (exponent == 0) return sign | INFINITY;
  if (sign != 0) return DEFAULT_NAN;
  if (t == INFINITY) return 0;
  // x = middle of one of 1024 intervals, times 2 where the exponent (unbiased) is odd
  const odd = (exponent & 1) ^ 1;
  const x = (1.0 + (f64((t >> 13) & 0x3ff) + 0.5) / 1024.0) * f64(1 + odd);
  const significand = u32(8192.0 / sqrt<f64>(x) + 0.5);
  // Biased exponent 126, less half of the even exponent: (379 - exponent + odd) / 2 keeps it positive on the way.
  return assemble(0, (379 - exponent + odd) >> 1, significand);
}

/** RCPPS on the first `count` elements. */
export function reciprocalF32(cpu: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++)
    store<u32>(slot0(cpu) + (<usize>i << 2), reciprocal(load<u32>(slot1(cpu) + (<usize>i << 2))));
}

/** RSQRTPS on the first `count` elements. */
export function reciprocalSqrtF32(cpu: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++)
    store<u32>(slot0(cpu) + (<usize>i << 2), reciprocalSqrt(load<u32>(slot1(cpu) + (<usize>i << 2))));
}
