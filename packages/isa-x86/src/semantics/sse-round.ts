// SPDX-License-Identifier: Apache-2.0
// ROUNDPS, ROUNDPD, ROUNDSS, ROUNDSD, and the control register MXCSR.
import type { Value } from "@isola/engine";
import { type FloatSize, plainTruncation, VectorTests } from "./sse-exceptions.js";
import { loadScratch, storeScratch } from "./sse-operands.js";
import type { Semantics } from "./semantics.js";
import { Vector, type X86Emitter } from "./x86-emitter.js";

const SUPPRESS_INEXACT = 8;
const MODE_FROM_MXCSR = 4;
const MXCSR_ROUNDING_SHIFT = 13;

/**
 * Rounds elements to integers. Rounding mode: imm[1:0], or MXCSR's if bit 2 is set; bit 3 suppresses the inexact
 * exception. The inline path is taken for numbers only, and where nothing is inexact or that changes nothing.
 */
function round(e: X86Emitter, size: FloatSize, a: Value, b: Value, imm: Value, count: number): Value {
  const shape = size === 32 ? "f32x4" : "f64x2";
  const t = new VectorTests(e, size);
  const fromMxcsr = e.and(e.shrU(e.loadState("i32.load", "mxcsr"), MXCSR_ROUNDING_SHIFT), e.i32(3));
  const mode = e.select(e.and(imm, e.i32(MODE_FROM_MXCSR)), fromMxcsr, e.and(imm, e.i32(3)));
  const inMode = (n: number): Value => e.eq(mode, e.i32(n));
  const rounded = e.choose(
    inMode(3),
    "v128",
    () => e.op(`${shape}.trunc`, b),
    () =>
      e.choose(
        inMode(0),
        "v128",
        () => e.op(`${shape}.nearest`, b),
        () =>
          e.choose(
            inMode(1),
            "v128",
            () => e.op(`${shape}.floor`, b),
            () => e.op(`${shape}.ceil`, b),
          ),
      ),
  );
  const result = count === 1 ? lowElement(e, size, rounded, a) : rounded;
  const magnitude = t.magnitude(b);
  const special = t.or(t.denormal(magnitude), t.nan(magnitude));
  const inexact = e.op(`${shape}.ne`, rounded, b);
  const allowed = e.or(e.and(imm, e.i32(SUPPRESS_INEXACT)), plainTruncation(e));
  const suppressed = e.op("i32x4.splat", e.sub(e.eqz(allowed), e.i32(1)));
  const failing = t.or(special, t.andNot(inexact, suppressed));
  const failed = count === 1 ? e.lane("i32x4.extract_lane", 0, failing) : t.any(failing);
  return e.choose(
    failed,
    "v128",
    () => {
      storeScratch(e, 0, a);
      storeScratch(e, 1, b);
      e.callFaulting(`roundF${size}`, [e.cpu, imm, e.i32(count)]);
      return loadScratch(e, 0);
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

/** ROUNDPS, ROUNDPD (count = all elements), ROUNDSS, ROUNDSD (count = 1: the other elements stay). */
export function roundToInteger(size: FloatSize, count: number): Semantics {
  return (e, [dst, src, imm]) => {
    const b = e.readVector(src!);
    e.writeVector(dst!, round(e, size, e.readVector(dst!), b, e.read(imm!), count));
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
