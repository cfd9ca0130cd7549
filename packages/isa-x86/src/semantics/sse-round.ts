// SPDX-License-Identifier: Apache-2.0
// ROUNDPS, ROUNDPD, ROUNDSS, ROUNDSD, and the control register MXCSR.
import type { Value } from "@isola/engine";
import { type FloatSize, plainTruncation, VectorTests } from "./sse-exceptions.js";
import type { Semantics } from "./semantics.js";
import {
  anyTrue,
  chooseHalves,
  type Halves,
  loadScratch,
  readHalves,
  readLow,
  rolesOf,
  storeScratch,
  writeHalves,
} from "./vector-operand.js";
import { Vector, type X86Emitter } from "./x86-emitter.js";

const SUPPRESS_INEXACT = 8;
const MODE_FROM_MXCSR = 4;
const MXCSR_ROUNDING_SHIFT = 13;

/** All elements of `b` rounded to integers, without exceptions. */
function roundLanes(e: X86Emitter, size: FloatSize, b: Value, mode: Value): Value {
  const shape = size === 32 ? "f32x4" : "f64x2";
  const either = (n: number, then: () => Value, otherwise: () => Value): Value =>
    e.choose(e.eq(mode, e.i32(n)), "v128", then, otherwise);
  return either(
    3,
    () => e.op(`${shape}.trunc`, b),
    () =>
      either(
        0,
        () => e.op(`${shape}.nearest`, b),
        () =>
          either(
            1,
            () => e.op(`${shape}.floor`, b),
            () => e.op(`${shape}.ceil`, b),
          ),
      ),
  );
}

/**
 * Rounds elements to integers. Rounding mode: imm[1:0], or MXCSR's if bit 2 is set; bit 3 suppresses the inexact
 * exception. The inline path is taken for numbers only, and where nothing is inexact or that changes nothing.
 * @param a what a scalar form keeps above its element; null: all elements are rounded
 */
function round(e: X86Emitter, size: FloatSize, a: Value | null, b: Halves, imm: Value): Halves {
  const t = new VectorTests(e, size);
  const fromMxcsr = e.and(e.shrU(e.loadState("i32.load", "mxcsr"), MXCSR_ROUNDING_SHIFT), e.i32(3));
  const mode = e.select(e.and(imm, e.i32(MODE_FROM_MXCSR)), fromMxcsr, e.and(imm, e.i32(3)));
  const rounded = b.map((half) => roundLanes(e, size, half, mode));
  const result = a === null ? rounded : [lowElement(e, size, rounded[0]!, a)];
  const allowed = e.or(e.and(imm, e.i32(SUPPRESS_INEXACT)), plainTruncation(e));
  const suppressed = e.op("i32x4.splat", e.sub(e.eqz(allowed), e.i32(1)));
  const failing = b.map((half, i) => {
    const magnitude = t.magnitude(half);
    const inexact = e.op(size === 32 ? "f32x4.ne" : "f64x2.ne", rounded[i]!, half);
    return t.or(t.or(t.denormal(magnitude), t.nan(magnitude)), t.andNot(inexact, suppressed));
  });
  return chooseHalves(
    e,
    a === null ? anyTrue(e, failing) : e.lane("i32x4.extract_lane", 0, failing[0]!),
    b.length,
    () => {
      if (a !== null) storeScratch(e, 0, [a]);
      storeScratch(e, 1, b);
      e.callFaulting(`roundF${size}`, [e.cpu, imm, e.i32(a === null ? (b.length * 128) / size : 1)]);
      return loadScratch(e, 0, b.length);
    },
    () => result,
  );
}

/** Element 0 of `low`, the others of `rest`. */
function lowElement(e: X86Emitter, size: FloatSize, low: Value, rest: Value): Value {
  const split = size / 8;
  return e.shuffle(
    low,
    rest,
    Array.from({ length: 16 }, (_, i) => (i < split ? i : i + 16)),
  );
}

/** ROUNDPS, ROUNDPD */
export function roundPacked(size: FloatSize): Semantics {
  return (e, [dst, src, imm]) => {
    const source = readHalves(e, src!);
    writeHalves(e, dst!, round(e, size, null, source, e.read(imm!)));
  };
}

/** ROUNDSS, ROUNDSD: the other elements come from the first source. */
export function roundScalar(size: FloatSize): Semantics {
  return (e, operands) => {
    const { dst, a, b, rest } = rolesOf(operands);
    const right = readLow(e, b);
    writeHalves(e, dst, round(e, size, readLow(e, a), [right], e.read(rest!)));
  };
}

/** Bits of MXCSR that exist; setting others is #GP(0) (SDM 1, 11.6.6: MXCSR_MASK 0000FFFFH). */
const MXCSR_RESERVED = 0xffff_0000 | 0;

/** LDMXCSR */
export const ldmxcsr: Semantics = (e, [src]) => {
  const value = e.read(src!);
  e.raiseIf(e.and(value, e.i32(MXCSR_RESERVED)), Vector.GP, 0);
  e.storeState("i32.store", "mxcsr", value);
};

/** STMXCSR */
export const stmxcsr: Semantics = (e, [dst]) => e.write(dst!, e.loadState("i32.load", "mxcsr"));
