// SPDX-License-Identifier: Apache-2.0
import type { Value } from "@isola/engine";
import type { Semantics } from "./semantics.js";
import { readHalves, rolesOf, writeHalves } from "./vector-operand.js";
import type { VectorHalf, X86Emitter } from "./x86-emitter.js";

/** One 128-bit half of a vector operation: from lanes of the first and the second source to lanes of the result. */
export type BinaryLanes = (e: X86Emitter, a: Value, b: Value) => Value;
export type UnaryLanes = (e: X86Emitter, a: Value) => Value;
/** With the immediate as i32, zero-extended from 8 bits (a constant in compiled regions), and the half it is for. */
export type ImmediateLanes = (e: X86Emitter, a: Value, b: Value, immediate: Value, half: VectorHalf) => Value;
export type UnaryImmediateLanes = (e: X86Emitter, a: Value, immediate: Value, half: VectorHalf) => Value;

/** `dst = lanes(a, b)` on whole XMM or YMM registers, half by half. */
export function packed(lanes: BinaryLanes): Semantics {
  return (e, operands) => {
    const { dst, a, b } = rolesOf(operands);
    const right = readHalves(e, b);
    writeHalves(
      e,
      dst,
      readHalves(e, a).map((left, half) => lanes(e, left, right[half]!)),
    );
  };
}

/** `dst = lanes(src)` on whole registers. */
export function packedUnary(lanes: UnaryLanes): Semantics {
  return (e, [dst, src]) =>
    writeHalves(
      e,
      dst!,
      readHalves(e, src!).map((source) => lanes(e, source)),
    );
}

/** `dst = lanes(a, b, imm8)` on whole registers. */
export function packedImmediate(lanes: ImmediateLanes): Semantics {
  return (e, operands) => {
    const { dst, a, b, rest } = rolesOf(operands);
    const right = readHalves(e, b);
    const imm = e.read(rest!);
    writeHalves(
      e,
      dst,
      readHalves(e, a).map((left, half) => lanes(e, left, right[half]!, imm, half as VectorHalf)),
    );
  };
}

/** `dst = lanes(src, imm8)` on whole registers. */
export function packedUnaryImmediate(lanes: UnaryImmediateLanes): Semantics {
  return (e, [dst, src, imm]) => {
    const sources = readHalves(e, src!);
    const immediate = e.read(imm!);
    writeHalves(
      e,
      dst!,
      sources.map((source, half) => lanes(e, source, immediate, half as VectorHalf)),
    );
  };
}

/** `dst = lanes(dst, src)` on MMX registers: the low 64 bits of the vectors count. */
export function mmx(lanes: BinaryLanes): Semantics {
  return (e, [dst, src]) => {
    checkPendingX87(e);
    const b = e.readVector(src!);
    const result = lanes(e, e.readVector(dst!), b);
    enterMmx(e);
    e.writeMmx(dst!, result);
  };
}

/** `dst = lanes(src)` on MMX registers. */
export function mmxUnary(lanes: UnaryLanes): Semantics {
  return mmx((e, _a, b) => lanes(e, b));
}

/** `dst = lanes(dst, src, imm8)` on MMX registers. */
export function mmxImmediate(lanes: ImmediateLanes): Semantics {
  return (e, operands, form) => mmx((_e, a, b) => lanes(e, a, b, e.read(operands[2]!), 0))(e, operands, form);
}

const FSW_ERROR_SUMMARY = 1 << 7;

/** #MF if an unmasked x87 exception waits. MMX instructions look for it before they access memory. */
export function checkPendingX87(e: X86Emitter): void {
  const pending = e.and(e.loadState("i32.load16_u", "fsw"), e.i32(FSW_ERROR_SUMMARY));
  e.if(pending, () => {
    e.callFaultingValue("x87Wait", [e.cpu], "i32");
  });
}

/**
 * What every MMX instruction but EMMS does to the x87 state: TOP becomes 0 and all tags valid (SDM 1, 9.5.1). It must
 * come after a load that may fault.
 */
export function enterMmx(e: X86Emitter): void {
  beginMmx(e);
  endMmx(e);
}

/** The switch in front of a store of an MMX register: if that faults, processors have changed TOP but not the tags. */
export function beginMmx(e: X86Emitter): void {
  e.storeState("i32.store", "fpTop", e.i32(0));
}

/** The rest of the switch, when nothing can fault any more. */
export function endMmx(e: X86Emitter): void {
  e.storeState("i32.store8", "fpTag", e.i32(0xff));
}

/** The low 64 bits of a vector. */
export function lowQuad(e: X86Emitter, vector: Value): Value {
  return e.lane("i64x2.extract_lane", 0, vector);
}

/** The low halves of two vectors in one: how MMX operands meet instructions that mix lanes. */
export function joinLow(e: X86Emitter, low: Value, high: Value): Value {
  return e.shuffle(low, high, [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
}

/** MMX form of lanes that take the lower half of the result from `a` and the upper one from `b`: packs, PHADDW. */
export function halves(lanes: BinaryLanes): BinaryLanes {
  return (e, a, b) => {
    const both = joinLow(e, a, b);
    return lanes(e, both, both);
  };
}

/** 16 bytes that all are `value`. */
export function bytes(value: number): number[] {
  return new Array<number>(16).fill(value & 0xff);
}

/** Bytes of eight 16-bit lanes; fewer values repeat. */
export function words(...values: number[]): number[] {
  return lanesOf(2, values.map(BigInt));
}

/** Bytes of four 32-bit lanes; fewer values repeat. */
export function dwords(...values: number[]): number[] {
  return lanesOf(4, values.map(BigInt));
}

/** Bytes of two 64-bit lanes; one value repeats. */
export function quads(...values: bigint[]): number[] {
  return lanesOf(8, values);
}

function lanesOf(width: number, values: readonly bigint[]): number[] {
  return Array.from({ length: 16 }, (_, i) => {
    const value = values[Math.floor(i / width) % values.length]!;
    return Number((value >> BigInt((i % width) * 8)) & 0xffn);
  });
}

/** The bytes 0, 1, ... 15: the identity of a swizzle. */
export const IOTA: readonly number[] = Object.freeze(Array.from({ length: 16 }, (_, i) => i));
