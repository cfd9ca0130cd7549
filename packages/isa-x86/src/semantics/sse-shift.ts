// SPDX-License-Identifier: Apache-2.0
// Shifts of whole vectors: by lanes with one count for all, and by bytes across the register.
import type { Value } from "@isola/engine";
import {
  type BinaryLanes,
  bytes,
  checkPendingX87,
  enterMmx,
  IOTA,
  type ImmediateLanes,
  joinLow,
  lowQuad,
  mmx,
  packedUnaryImmediate,
  type UnaryImmediateLanes,
} from "./sse-operands.js";
import type { Semantics } from "./semantics.js";
import { readHalves, readLow, rolesOf, writeHalves } from "./vector-operand.js";
import type { X86Emitter } from "./x86-emitter.js";

export type ShiftLanes = "i16x8" | "i32x4" | "i64x2";
export type ShiftKind = "shl" | "shr_u" | "shr_s";

const WIDTH: { readonly [K in ShiftLanes]: number } = { i16x8: 16, i32x4: 32, i64x2: 64 };

/** Shifts by an unsigned count of any size: counts from the lane width on give 0, or the sign with `shr_s`. */
function shiftLanes(e: X86Emitter, lanes: ShiftLanes, kind: ShiftKind, a: Value, count: Value): Value {
  const width = WIDTH[lanes];
  const limit = e.constantLike(count, width);
  if (count.constant !== null) {
    const by = Number(BigInt.asUintN(64, count.constant));
    if (by >= width && kind !== "shr_s") return e.v128(bytes(0));
    return e.op(`${lanes}.${kind}`, a, e.i32(Math.min(by, width - 1)));
  }
  const inside = e.ltU(count, limit);
  if (kind === "shr_s") return e.op(`${lanes}.${kind}`, a, e.select(inside, e.wrap(count), e.i32(width - 1)));
  return e.select(inside, e.op(`${lanes}.${kind}`, a, e.wrap(count)), e.v128(bytes(0)));
}

/** The count is the low 64 bits of the second source (SDM 2, PSLLW). */
function byVector(lanes: ShiftLanes, kind: ShiftKind): BinaryLanes {
  return (e, a, b) => shiftLanes(e, lanes, kind, a, lowQuad(e, b));
}

/** PSLLW xmm, xmm/m128 and its family. */
export function shift(lanes: ShiftLanes, kind: ShiftKind): Semantics {
  return (e, operands) => {
    const { dst, a, b } = rolesOf(operands);
    const count = lowQuad(e, readLow(e, b));
    writeHalves(
      e,
      dst,
      readHalves(e, a).map((half) => shiftLanes(e, lanes, kind, half, count)),
    );
  };
}

/** PSLLW mm, mm/m64 and its family. */
export function shiftMmx(lanes: ShiftLanes, kind: ShiftKind): Semantics {
  return mmx(byVector(lanes, kind));
}

/** A shift by an immediate: VEX forms name destination (in VEX.vvvv) and source. */
function byImmediate(change: UnaryImmediateLanes): Semantics {
  return (e, operands, form) =>
    packedUnaryImmediate(change)(e, operands.length === 3 ? operands : [operands[0]!, ...operands], form);
}

/** PSLLW xmm, imm8 and its family. */
export function shiftImmediate(lanes: ShiftLanes, kind: ShiftKind): Semantics {
  return byImmediate((e, a, imm) => shiftLanes(e, lanes, kind, a, imm));
}

/** PSLLW mm, imm8 and its family. */
export function shiftImmediateMmx(lanes: ShiftLanes, kind: ShiftKind): Semantics {
  return (e, [register, imm]) => {
    checkPendingX87(e);
    const result = shiftLanes(e, lanes, kind, e.readVector(register!), e.read(imm!));
    enterMmx(e);
    e.writeMmx(register!, result);
  };
}

/** An immediate limited to `maximum`: greater ones mean the same. */
function atMost(e: X86Emitter, imm: Value, maximum: number): Value {
  if (imm.constant !== null) return e.i32(Math.min(Number(imm.constant), maximum));
  return e.select(e.ltU(imm, e.i32(maximum)), imm, e.i32(maximum));
}

/** Byte i of the result is byte i + offset of `a`, or 0 where that is outside. `offset` is between -128 and 127. */
function moveBytes(e: X86Emitter, a: Value, offset: Value): Value {
  return e.op("i8x16.swizzle", a, e.op("i8x16.add", e.v128(IOTA), e.op("i8x16.splat", offset)));
}

/** PSRLDQ: towards lower bytes. */
export const shiftBytesRight: Semantics = byImmediate((e, a, imm) => moveBytes(e, a, atMost(e, imm, 16)));

/** PSLLDQ: towards higher bytes. */
export const shiftBytesLeft: Semantics = byImmediate((e, a, imm) => moveBytes(e, a, e.neg(atMost(e, imm, 16))));

/** PALIGNR: 16 bytes of a:b (a above), from byte `imm` on; zeros follow a. */
export const palignr: ImmediateLanes = (e, a, b, imm) => {
  const by = atMost(e, imm, 32);
  return e.op("v128.or", moveBytes(e, b, by), moveBytes(e, a, e.sub(by, e.i32(16))));
};

/** PALIGNR on MMX registers: 8 bytes of a:b. */
export const palignrMmx: ImmediateLanes = (e, a, b, imm) => moveBytes(e, joinLow(e, b, a), atMost(e, imm, 16));
