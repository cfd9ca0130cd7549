// SPDX-License-Identifier: Apache-2.0
// x * y + z rounded once, to nearest, by WebAssembly instructions that round every step: where that is proved to give
// the same. What is not covered fails, and helpers do it.
import type { Value } from "@isola/engine";
import { type FloatSize, VectorTests } from "./sse-exceptions.js";
import { quads } from "./sse-operands.js";
import type { X86Emitter } from "./x86-emitter.js";

/** A result, and a mask of lanes for which it may be wrong. */
export interface InlineResult {
  readonly result: Value;
  readonly failed: Value;
}

/** On whole vectors. The signs of product and addend have been applied to `x` and `z`. */
export function fuseInline(e: X86Emitter, size: FloatSize, x: Value, y: Value, z: Value): InlineResult {
  return size === 32 ? fuseSingles(e, x, y, z) : fuseDoubles(e, x, y, z);
}

const UPPER_FIRST = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];
const BOTH_LOW = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];

/**
 * Through binary64: the product of two binary32 is exact there, the sum is rounded to 53 bits, then to 24. The second
 * rounding goes astray only if the first one lands half way between two binary32: then the 29 bits that are cut off are
 * a one and zeros.
 */
function fuseSingles(e: X86Emitter, x: Value, y: Value, z: Value): InlineResult {
  const t = new VectorTests(e, 32);
  const half = (swap: boolean): { sum: Value; tie: Value } => {
    const wide = (v: Value): Value => e.op("f64x2.promote_low_f32x4", swap ? e.shuffle(v, v, UPPER_FIRST) : v);
    const sum = e.op("f64x2.add", e.op("f64x2.mul", wide(x), wide(y)), wide(z));
    const rest = e.op("v128.and", sum, e.v128(quads(0x1fff_ffffn)));
    return { sum, tie: e.op("i64x2.eq", rest, e.v128(quads(0x1000_0000n))) };
  };
  const low = half(false);
  const high = half(true);
  const result = e.shuffle(
    e.op("f32x4.demote_f64x2_zero", low.sum),
    e.op("f32x4.demote_f64x2_zero", high.sum),
    BOTH_LOW,
  );
  // A sum of exactly zero is exact, and its sign is right; other tiny results may hide an underflow.
  const magnitude = t.magnitude(result);
  const zeros = e.shuffle(isZero(e, low.sum), isZero(e, high.sum), LOW_DWORDS);
  const bad = t.or(t.andNot(t.tiny(magnitude), zeros), t.notFinite(magnitude));
  const denormal = [x, y, z].map((v) => t.denormal(t.magnitude(v))).reduce((a, b) => t.or(a, b));
  const tie = e.op("v128.or", low.tie, high.tie);
  return { result, failed: t.or(t.or(bad, denormal), tie) };
}

const LOW_DWORDS = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];

function isZero(e: X86Emitter, v: Value): Value {
  return e.op("f64x2.eq", v, e.v128(quads(0n)));
}

/** binary64 encodings of 2^450 and 2^-450, and of 2^900 and 2^-900. */
const FACTOR_RANGE = { least: (1023n - 450n) << 52n, greatest: (1023n + 450n) << 52n };
const ADDEND_RANGE = { least: (1023n - 900n) << 52n, greatest: (1023n + 900n) << 52n };

/**
 * By error-free transformations: product and sums as pairs of a rounded value and its error, the two errors added with
 * rounding to odd, the whole rounded to nearest (S. Boldo, G. Melquiond: Emulation of FMA and correctly rounded sums,
 * IEEE Transactions on Computers 57, 2008). It holds as long as nothing overflows or underflows, which the ranges of the
 * operands ensure: every intermediate value is zero or a multiple of 2^-1004.
 */
function fuseDoubles(e: X86Emitter, x: Value, y: Value, z: Value): InlineResult {
  const t = new VectorTests(e, 64);
  const product = multiplyExactly(e, x, y);
  const first = addExactly(e, z, product.error);
  const second = addExactly(e, product.value, first.value);
  const errors = addRoundingToOdd(e, first.error, second.error);
  const result = e.op("f64x2.add", second.value, errors);
  const outside = (v: Value, { least, greatest }: typeof FACTOR_RANGE): Value => {
    const magnitude = t.magnitude(v);
    return t.or(t.andNot(t.below(magnitude, least), t.zero(magnitude)), t.above(magnitude, greatest));
  };
  const ranges = [outside(x, FACTOR_RANGE), outside(y, FACTOR_RANGE), outside(z, ADDEND_RANGE)];
  // The sign of a zero would be that of the errors.
  return { result, failed: ranges.reduce((a, b) => t.or(a, b), isZero(e, result)) };
}

interface Exact {
  readonly value: Value;
  readonly error: Value;
}

/** Dekker's product: factors are split into halves of 26 bits. */
function multiplyExactly(e: X86Emitter, x: Value, y: Value): Exact {
  const mul = (a: Value, b: Value): Value => e.op("f64x2.mul", a, b);
  const add = (a: Value, b: Value): Value => e.op("f64x2.add", a, b);
  const sub = (a: Value, b: Value): Value => e.op("f64x2.sub", a, b);
  const split = (v: Value): { high: Value; low: Value } => {
    // 2^27 + 1
    const scaled = mul(v, e.v128(quads(0x41a0_0000_0200_0000n)));
    const high = sub(scaled, sub(scaled, v));
    return { high, low: sub(v, high) };
  };
  const a = split(x);
  const b = split(y);
  const value = mul(x, y);
  const top = sub(mul(a.high, b.high), value);
  const middle = add(add(top, mul(a.high, b.low)), mul(a.low, b.high));
  return { value, error: add(middle, mul(a.low, b.low)) };
}

/** Knuth's sum of two numbers in any order. */
function addExactly(e: X86Emitter, a: Value, b: Value): Exact {
  const value = e.op("f64x2.add", a, b);
  const fromB = e.op("f64x2.sub", value, a);
  const fromA = e.op("f64x2.sub", value, fromB);
  const error = e.op("f64x2.add", e.op("f64x2.sub", a, fromA), e.op("f64x2.sub", b, fromB));
  return { value, error };
}

/** a + b, an inexact sum rounded to the neighbour whose last bit is set. */
function addRoundingToOdd(e: X86Emitter, a: Value, b: Value): Value {
  const { value, error } = addExactly(e, a, b);
  const one = e.v128(quads(1n));
  const even = e.op("i64x2.eq", e.op("v128.and", value, one), e.v128(quads(0n)));
  const inexact = e.op("f64x2.ne", error, e.v128(quads(0n)));
  // Away from zero if the error has the sign of the sum.
  const differ = e.op("i64x2.shr_s", e.op("v128.xor", value, error), e.i32(63));
  const step = e.op("v128.and", e.op("v128.or", differ, one), e.op("v128.and", even, inexact));
  return e.op("i64x2.add", value, step);
}
