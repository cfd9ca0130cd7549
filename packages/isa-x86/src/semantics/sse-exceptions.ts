// SPDX-License-Identifier: Apache-2.0
// When may a floating-point instruction be the WebAssembly one? WebAssembly rounds to nearest, knows no exception flags
// and may choose the payload of a NaN. So the inline path is taken only if the result is a number, the operands are
// proved to raise nothing but the inexact exception, and that one is already set in MXCSR. All else goes to helpers.
import type { Value } from "@isola/engine";
import { dwords, quads } from "./sse-operands.js";
import type { X86Emitter } from "./x86-emitter.js";

/** MXCSR (SDM 1, figure 10-3). */
const PE = 1 << 5;
const DAZ = 1 << 6;
const ALL_MASKED = 0x3f << 7;
const PM = 1 << 12;
const ROUNDING = 3 << 13;
const FTZ = 1 << 15;

/** Rounding to nearest, all exceptions masked, PE set, neither DAZ nor FTZ: an inexact result changes nothing. */
export function plainArithmetic(e: X86Emitter): Value {
  return mxcsrIs(e, PE | DAZ | ALL_MASKED | ROUNDING | FTZ, PE | ALL_MASKED);
}

/** PE is masked and set, and denormals are not zeros: what a truncation needs. */
export function plainTruncation(e: X86Emitter): Value {
  return mxcsrIs(e, PE | DAZ | PM, PE | PM);
}

/** The same with rounding to nearest. */
export function plainRounding(e: X86Emitter): Value {
  return mxcsrIs(e, PE | DAZ | PM | ROUNDING, PE | PM);
}

function mxcsrIs(e: X86Emitter, mask: number, value: number): Value {
  return e.eq(e.and(e.loadState("i32.load", "mxcsr"), e.i32(mask)), e.i32(value));
}

export type FloatSize = 32 | 64;

/**
 * Tests on bit patterns of floating-point numbers, for vectors (masks of lanes) or single elements (i32 0 or 1).
 * Magnitudes are compared as signed integers after setting the sign bit: then they grow from the most negative number.
 */
export interface ElementTests {
  /** The encoding with its sign bit set, which the other tests take. */
  magnitude(bits: Value): Value;
  /** Greater, or less, than the encoding `bound` of a positive number. */
  above(magnitude: Value, bound: bigint): Value;
  below(magnitude: Value, bound: bigint): Value;
  denormal(magnitude: Value): Value;
  notFinite(magnitude: Value): Value;
  nan(magnitude: Value): Value;
  zero(magnitude: Value): Value;
  /** Zero, denormal or the least normal number: a result here may hide an underflow (tininess after rounding). */
  tiny(magnitude: Value): Value;
  or(a: Value, b: Value): Value;
  andNot(a: Value, b: Value): Value;
  /** i32, not 0 if an element failed. */
  any(mask: Value): Value;
}

/** Whether a value that is to become an integer of `bits` is a NaN or too large for it, or so large that it may be. */
export function exceeds(t: ElementTests, size: FloatSize, bits: 32 | 64, magnitude: Value): Value {
  // Up to the greatest number below 2^31 or 2^63; a binary64 could still be rounded up to 2^31.
  const bound =
    size === 32
      ? bits === 32
        ? 0x4eff_ffffn
        : 0x5eff_ffffn
      : bits === 32
        ? 0x41df_ffff_ffc0_0000n
        : 0x43df_ffff_ffff_ffffn;
  return t.above(magnitude, bound);
}

const SIGN = { 32: 0x8000_0000n, 64: 1n << 63n } as const;
const LEAST_NORMAL = { 32: 0x0080_0000n, 64: 1n << 52n } as const;
const INFINITY = { 32: 0x7f80_0000n, 64: 0x7ffn << 52n } as const;

/** Tests for vectors of four binary32 or two binary64. */
export class VectorTests implements ElementTests {
  private readonly shape: "i32x4" | "i64x2";

  constructor(
    private readonly e: X86Emitter,
    private readonly size: FloatSize,
  ) {
    this.shape = size === 32 ? "i32x4" : "i64x2";
  }

  magnitude(bits: Value): Value {
    return this.e.op("v128.or", bits, this.splat(SIGN[this.size]));
  }

  above(magnitude: Value, bound: bigint): Value {
    return this.e.op(`${this.shape}.gt_s`, magnitude, this.splat(SIGN[this.size] + bound));
  }

  below(magnitude: Value, bound: bigint): Value {
    return this.e.op(`${this.shape}.lt_s`, magnitude, this.splat(SIGN[this.size] + bound));
  }

  denormal(magnitude: Value): Value {
    // Less 1, a zero wraps to the greatest number.
    return this.below(this.e.op(`${this.shape}.sub`, magnitude, this.splat(1n)), LEAST_NORMAL[this.size] - 1n);
  }

  notFinite(magnitude: Value): Value {
    return this.above(magnitude, INFINITY[this.size] - 1n);
  }

  nan(magnitude: Value): Value {
    return this.above(magnitude, INFINITY[this.size]);
  }

  zero(magnitude: Value): Value {
    return this.e.op(`${this.shape}.eq`, magnitude, this.splat(SIGN[this.size]));
  }

  tiny(magnitude: Value): Value {
    return this.below(magnitude, LEAST_NORMAL[this.size] + 1n);
  }

  or(a: Value, b: Value): Value {
    return this.e.op("v128.or", a, b);
  }

  andNot(a: Value, b: Value): Value {
    return this.e.op("v128.andnot", a, b);
  }

  any(mask: Value): Value {
    return this.e.op("v128.any_true", mask);
  }

  private splat(value: bigint): Value {
    return this.e.v128(this.size === 32 ? dwords(Number(value)) : quads(value));
  }
}

/** Tests for one binary32 (i32) or binary64 (i64). */
export class ScalarTests implements ElementTests {
  constructor(
    private readonly e: X86Emitter,
    private readonly size: FloatSize,
  ) {}

  magnitude(bits: Value): Value {
    return this.e.or(bits, this.constant(SIGN[this.size]));
  }

  above(magnitude: Value, bound: bigint): Value {
    return this.e.gtS(magnitude, this.constant(SIGN[this.size] + bound));
  }

  below(magnitude: Value, bound: bigint): Value {
    return this.e.ltS(magnitude, this.constant(SIGN[this.size] + bound));
  }

  denormal(magnitude: Value): Value {
    return this.below(this.e.sub(magnitude, this.constant(1n)), LEAST_NORMAL[this.size] - 1n);
  }

  notFinite(magnitude: Value): Value {
    return this.above(magnitude, INFINITY[this.size] - 1n);
  }

  nan(magnitude: Value): Value {
    return this.above(magnitude, INFINITY[this.size]);
  }

  zero(magnitude: Value): Value {
    return this.e.eq(magnitude, this.constant(SIGN[this.size]));
  }

  tiny(magnitude: Value): Value {
    return this.below(magnitude, LEAST_NORMAL[this.size] + 1n);
  }

  or(a: Value, b: Value): Value {
    return this.e.or(a, b);
  }

  andNot(a: Value, b: Value): Value {
    return this.e.and(a, this.e.eqz(b));
  }

  any(mask: Value): Value {
    return mask;
  }

  private constant(value: bigint): Value {
    return this.size === 32 ? this.e.i32(Number(BigInt.asIntN(32, value))) : this.e.i64(value);
  }
}
