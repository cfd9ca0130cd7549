// SPDX-License-Identifier: Apache-2.0
// Moves between vector registers, memory and general-purpose registers.
import type { Value } from "@isola/engine";
import type { Operand } from "../table/operand.js";
import { beginMmx, bytes, checkPendingX87, endMmx, enterMmx, joinLow, lowQuad } from "./sse-operands.js";
import type { Semantics } from "./semantics.js";
import { readHalves, rolesOf, storeScratch, writeHalves, writeLow } from "./vector-operand.js";
import type { X86Emitter } from "./x86-emitter.js";

/** MOVAPS, MOVDQA and the like: whole registers, aligned in memory, with VEX too. */
export const moveAligned: Semantics = (e, [dst, src]) => writeHalves(e, dst!, readHalves(e, src!, true), true);

/** MOVUPS, MOVDQU, LDDQU. */
export const moveUnaligned: Semantics = (e, [dst, src]) => writeHalves(e, dst!, readHalves(e, src!, false), false);

/** MOVSS and MOVSD: register to register takes the upper lanes from the first source, a load clears them (SDM 2, MOVSS). */
export const moveScalar: Semantics = (e, operands) => {
  const { dst, a, b } = rolesOf(operands);
  const value = e.readVector(b);
  if (dst.kind !== "vec" || b.kind !== "vec") return writeLow(e, dst, value);
  writeLow(e, dst, mergeLow(e, e.readVector(a), value, dst.size));
};

/** `a` with its low 32 or 64 bits taken from `b`. */
function mergeLow(e: X86Emitter, a: Value, b: Value, bits: number): Value {
  const split = bits / 8;
  return e.shuffle(
    b,
    a,
    Array.from({ length: 16 }, (_, i) => (i < split ? i : i + 16)),
  );
}

/** MOVQ xmm: always clears the upper half of a register destination. */
export const moveQuad: Semantics = (e, [dst, src]) => {
  const value = e.readVector(src!);
  writeLow(e, dst!, dst!.kind === "vec" && src!.kind === "vec" ? joinLow(e, value, e.v128(bytes(0))) : value);
};

/** MOVLPS, MOVLPD loads and MOVHPS, MOVHPD loads: one half from memory. */
export function loadHalf(half: 0 | 1): Semantics {
  return (e, operands) => {
    const { dst, a, b } = rolesOf(operands);
    const value = e.read(b);
    writeLow(e, dst, e.lane("i64x2.replace_lane", half, e.readVector(a), value));
  };
}

/** MOVLPS, MOVHPS stores. */
export function storeHalf(half: 0 | 1): Semantics {
  return (e, [dst, src]) => e.write(dst!, e.lane("i64x2.extract_lane", half, e.readVector(src!)));
}

function vectorOf(e: X86Emitter, integer: Value): Value {
  const zero = e.v128(bytes(0));
  return integer.type === "i64"
    ? e.lane("i64x2.replace_lane", 0, zero, integer)
    : e.lane("i32x4.replace_lane", 0, zero, integer);
}

/** The low 32 or 64 bits, as an integer operand wants them. */
function integerOf(e: X86Emitter, vector: Value, operand: Operand): Value {
  const is64 = (operand.kind === "mem" || operand.kind === "gpr") && operand.size === 64;
  return is64 ? lowQuad(e, vector) : e.lane("i32x4.extract_lane", 0, vector);
}

/** MOVD, MOVQ xmm, r/m. */
export const moveFromInteger: Semantics = (e, [dst, src]) => writeLow(e, dst!, vectorOf(e, e.read(src!)));

/** MOVD, MOVQ r/m, xmm. */
export const moveToInteger: Semantics = (e, [dst, src]) => e.write(dst!, integerOf(e, e.readVector(src!), dst!));

/** MOVD, MOVQ mm, r/m. */
export const moveFromIntegerMmx: Semantics = (e, [dst, src]) => {
  checkPendingX87(e);
  const value = vectorOf(e, e.read(src!));
  enterMmx(e);
  e.writeMmx(dst!, value);
};

/** MOVD, MOVQ r/m, mm. */
export const moveToIntegerMmx: Semantics = (e, [dst, src]) => {
  checkPendingX87(e);
  const value = integerOf(e, e.readVector(src!), dst!);
  beginMmx(e);
  e.write(dst!, value);
  endMmx(e);
};

/** MOVQ mm, mm/m64 and its store, MOVNTQ, MOVDQ2Q. */
export const moveMmx: Semantics = (e, [dst, src]) => {
  checkPendingX87(e);
  const value = e.readVector(src!);
  beginMmx(e);
  if (dst!.kind === "mem") e.writeVector(dst!, value);
  else e.writeMmx(dst!, value);
  endMmx(e);
};

/** MOVQ2DQ */
export const moveMmxToXmm: Semantics = (e, [dst, src]) => {
  checkPendingX87(e);
  const value = e.readVector(src!);
  enterMmx(e);
  e.writeVector(dst!, value);
};

/** MASKMOVDQU: the bytes of the first operand whose mask byte has bit 7 set, to DS:[rDI]. */
export const maskedStore: Semantics = (e, [src, mask]) => {
  storeScratch(e, 0, [e.readVector(src!)]);
  storeScratch(e, 1, [e.readVector(mask!)]);
  e.callFaulting("maskedStore", [e.cpu, e.record, e.wrap(e.immediate()), e.i32(16)]);
};

/** MASKMOVQ */
export const maskedStoreMmx: Semantics = (e, [src, mask]) => {
  checkPendingX87(e);
  storeScratch(e, 0, [e.readVector(src!)]);
  storeScratch(e, 1, [e.readVector(mask!)]);
  enterMmx(e);
  e.callFaulting("maskedStore", [e.cpu, e.record, e.wrap(e.immediate()), e.i32(8)]);
};

/** PBLENDVB, BLENDVPS, BLENDVPD: XMM0 is the mask, its sign bits count. */
export function blendByXmm0(shape: "i8x16" | "i32x4" | "i64x2", bits: number): Semantics {
  return (e, [dst, src]) => {
    const b = e.readVector(src!);
    const mask = e.op(`${shape}.shr_s`, e.readVectorRegister(0, 0), e.i32(bits - 1));
    e.writeVector(dst!, e.op("v128.bitselect", b, e.readVector(dst!), mask));
  };
}
