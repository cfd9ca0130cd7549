// SPDX-License-Identifier: Apache-2.0
import type { Value } from "@isola/engine";
import { bitsOf } from "./sse-arithmetic.js";
import { type FloatSize, ScalarTests, VectorTests } from "./sse-exceptions.js";
import { loadScratch, storeScratch } from "./sse-operands.js";
import type { Semantics } from "./semantics.js";
import type { X86Emitter } from "./x86-emitter.js";

/** i32 with all bits set if `condition` (0 or 1). */
function allBits(e: X86Emitter, condition: Value): Value {
  return e.neg(condition);
}

/**
 * Which relations a predicate accepts when no operand is a NaN, as i32 masks. Bits 0-2 of the predicate say it: 0
 * equal, 1 less, 2 either, 3 none; 4-7 the opposite (SDM 2, CMPPS; the predicates 8-31 of VEX follow the same bits).
 */
function relations(e: X86Emitter, predicate: Value): { equal: Value; less: Value; opposite: Value } {
  const bit = (n: number): Value => e.and(e.shrU(predicate, n), e.i32(1));
  return {
    equal: allBits(e, e.xor(bit(0), e.i32(1))),
    less: allBits(e, e.xor(bit(0), bit(1))),
    opposite: allBits(e, bit(2)),
  };
}

/** Lanes of ones where the relation holds. */
function compareVectors(e: X86Emitter, size: FloatSize, a: Value, b: Value, predicate: Value): Value {
  const shape = size === 32 ? "f32x4" : "f64x2";
  const { equal, less, opposite } = relations(e, predicate);
  const holds = e.op(
    "v128.or",
    e.op("v128.and", e.op(`${shape}.eq`, a, b), e.op("i32x4.splat", equal)),
    e.op("v128.and", e.op(`${shape}.lt`, a, b), e.op("i32x4.splat", less)),
  );
  return e.op("v128.xor", holds, e.op("i32x4.splat", opposite));
}

function compareByHelper(e: X86Emitter, size: FloatSize, a: Value, b: Value, predicate: Value, count: number): Value {
  storeScratch(e, 0, a);
  storeScratch(e, 1, b);
  e.callFaulting(`compareF${size}`, [e.cpu, predicate, e.i32(count)]);
  return loadScratch(e, 0);
}

/** CMPPS, CMPPD. Comparing numbers that are neither NaN nor denormal raises nothing. */
export function comparePacked(size: FloatSize): Semantics {
  return (e, [dst, src, imm]) => {
    const b = e.readVector(src!);
    const a = e.readVector(dst!);
    const predicate = e.and(e.read(imm!), e.i32(7));
    const t = new VectorTests(e, size);
    const x = t.magnitude(a);
    const y = t.magnitude(b);
    const failed = t.any(t.or(t.or(t.denormal(x), t.denormal(y)), t.or(t.nan(x), t.nan(y))));
    const result = e.choose(
      failed,
      "v128",
      () => compareByHelper(e, size, a, b, predicate, 128 / size),
      () => compareVectors(e, size, a, b, predicate),
    );
    e.writeVector(dst!, result);
  };
}

/** CMPSS, CMPSD: element 0 becomes the mask, the others stay. */
export function compareScalar(size: FloatSize): Semantics {
  const shape = size === 32 ? "f32x4" : "f64x2";
  const type = size === 32 ? "f32" : "f64";
  return (e, [dst, src, imm]) => {
    const b = e.readVector(src!);
    const a = e.readVector(dst!);
    const predicate = e.and(e.read(imm!), e.i32(7));
    const result = e.choose(
      unordinary(e, size, bitsOf(e, size, a), bitsOf(e, size, b)),
      "v128",
      () => compareByHelper(e, size, a, b, predicate, 1),
      () => {
        const { equal, less, opposite } = relations(e, predicate);
        const x = e.lane(`${shape}.extract_lane`, 0, a);
        const y = e.lane(`${shape}.extract_lane`, 0, b);
        const holds = e.or(
          e.and(allBits(e, e.op(`${type}.eq`, x, y)), equal),
          e.and(allBits(e, e.op(`${type}.lt`, x, y)), less),
        );
        const mask = e.xor(holds, opposite);
        return size === 32
          ? e.lane("i32x4.replace_lane", 0, a, mask)
          : e.lane("i64x2.replace_lane", 0, a, e.extendS(mask));
      },
    );
    e.writeVector(dst!, result);
  };
}

/** Whether one of two elements is a NaN or a denormal. */
function unordinary(e: X86Emitter, size: FloatSize, a: Value, b: Value): Value {
  const t = new ScalarTests(e, size);
  const x = t.magnitude(a);
  const y = t.magnitude(b);
  return t.or(t.or(t.denormal(x), t.denormal(y)), t.or(t.nan(x), t.nan(y)));
}

/** COMISS, UCOMISS and the like: ZF PF CF tell the relation. `quiet`: a quiet NaN is not invalid. */
export function compareToFlags(size: FloatSize, quiet: boolean): Semantics {
  const type = size === 32 ? "f32" : "f64";
  const shape = size === 32 ? "f32x4" : "f64x2";
  return (e, [left, right]) => {
    const b = e.readVector(right!);
    const a = e.readVector(left!);
    const x = bitsOf(e, size, a);
    const y = bitsOf(e, size, b);
    e.if(
      unordinary(e, size, x, y),
      () => {
        // 0 equal, 1 less, 2 greater, 3 unordered
        const args = [e.cpu, x, y, e.i32(quiet ? 1 : 0)];
        const relation = e.callFaultingValue(`relationF${size}`, args, "i32");
        const unordered = e.eq(relation, e.i32(3));
        e.flags.compare(e.or(e.eqz(relation), unordered), unordered, e.and(relation, e.i32(1)));
      },
      () => {
        const f = e.lane(`${shape}.extract_lane`, 0, a);
        const g = e.lane(`${shape}.extract_lane`, 0, b);
        e.flags.compare(e.op(`${type}.eq`, f, g), e.i32(0), e.op(`${type}.lt`, f, g));
      },
    );
  };
}

/** PTEST: ZF if no common bit is set, CF if the source has no bit outside the destination. */
export const ptest: Semantics = (e, [dst, src]) => {
  const b = e.readVector(src!);
  const a = e.readVector(dst!);
  const common = e.op("v128.any_true", e.op("v128.and", a, b));
  const outside = e.op("v128.any_true", e.op("v128.andnot", b, a));
  e.flags.compare(e.eqz(common), e.i32(0), e.eqz(outside));
};
