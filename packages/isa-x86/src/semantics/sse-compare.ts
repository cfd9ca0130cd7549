// SPDX-License-Identifier: Apache-2.0
import type { Value } from "@isola/engine";
import { bitsOf } from "./sse-arithmetic.js";
import { type FloatSize, ScalarTests, VectorTests } from "./sse-exceptions.js";
import type { Operand } from "../table/operand.js";
import { dwords, quads } from "./sse-operands.js";
import type { Semantics } from "./semantics.js";
import {
  anyTrue,
  chooseHalves,
  type Halves,
  isVex,
  loadScratch,
  readHalves,
  readLow,
  rolesOf,
  storeScratch,
  writeHalves,
  writeLow,
} from "./vector-operand.js";
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

function compareByHelper(
  e: X86Emitter,
  size: FloatSize,
  a: Halves,
  b: Halves,
  predicate: Value,
  count: number,
): Halves {
  storeScratch(e, 0, a);
  storeScratch(e, 1, b);
  e.callFaulting(`compareF${size}`, [e.cpu, predicate, e.i32(count)]);
  return loadScratch(e, 0, b.length);
}

/** The predicate in the immediate: VEX forms have 32 of them, legacy forms 8. */
function predicateOf(e: X86Emitter, imm: Operand | undefined): Value {
  return e.and(e.read(imm!), e.i32(isVex(e) ? 31 : 7));
}

/** CMPPS, CMPPD. Comparing numbers that are neither NaN nor denormal raises nothing. */
export function comparePacked(size: FloatSize): Semantics {
  return (e, operands) => {
    const { dst, a, b, rest } = rolesOf(operands);
    const right = readHalves(e, b);
    const left = readHalves(e, a);
    const predicate = predicateOf(e, rest);
    const t = new VectorTests(e, size);
    const special = (half: Value): Value => {
      const magnitude = t.magnitude(half);
      return t.or(t.denormal(magnitude), t.nan(magnitude));
    };
    const results = chooseHalves(
      e,
      anyTrue(e, [...left, ...right].map(special)),
      right.length,
      () => compareByHelper(e, size, left, right, predicate, (right.length * 128) / size),
      () => left.map((half, i) => compareVectors(e, size, half, right[i]!, predicate)),
    );
    writeHalves(e, dst, results);
  };
}

/** CMPSS, CMPSD: element 0 becomes the mask, the others stay. */
export function compareScalar(size: FloatSize): Semantics {
  const shape = size === 32 ? "f32x4" : "f64x2";
  const type = size === 32 ? "f32" : "f64";
  return (e, operands) => {
    const roles = rolesOf(operands);
    const b = readLow(e, roles.b);
    const a = readLow(e, roles.a);
    const predicate = predicateOf(e, roles.rest);
    const result = e.choose(
      unordinary(e, size, bitsOf(e, size, a), bitsOf(e, size, b)),
      "v128",
      () => compareByHelper(e, size, [a], [b], predicate, 1)[0]!,
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
    writeLow(e, roles.dst, result);
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
    const b = readLow(e, right!);
    const a = readLow(e, left!);
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
export const ptest: Semantics = (e, operands) => testBits(e, operands, (bits) => bits);

/** VTESTPS and VTESTPD: the same of sign bits alone. */
export function testSigns(size: FloatSize): Semantics {
  const signs = size === 32 ? dwords(0x8000_0000) : quads(1n << 63n);
  return (e, operands) => testBits(e, operands, (bits) => e.op("v128.and", bits, e.v128(signs)));
}

function testBits(e: X86Emitter, [dst, src]: readonly Operand[], relevant: (bits: Value) => Value): void {
  const b = readHalves(e, src!).map(relevant);
  const a = readHalves(e, dst!);
  const common = anyTrue(
    e,
    b.map((half, i) => e.op("v128.and", a[i]!, half)),
  );
  const outside = anyTrue(
    e,
    b.map((half, i) => e.op("v128.andnot", half, a[i]!)),
  );
  e.flags.compare(e.eqz(common), e.i32(0), e.eqz(outside));
}
