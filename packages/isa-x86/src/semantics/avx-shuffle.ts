// SPDX-License-Identifier: Apache-2.0
// Instructions of AVX and AVX2 that move lanes: broadcasts, permutes, blends, 128-bit lanes, shifts lane by lane.
import type { Value } from "@isola/engine";
import type { Semantics } from "./semantics.js";
import { type BinaryLanes, bytes, dwords, quads, type UnaryImmediateLanes } from "./sse-operands.js";
import { shufpd } from "./sse-shuffle.js";
import { type Halves, isWide, readHalves, readLow, rolesOf, writeHalves, writeLow } from "./vector-operand.js";
import type { X86Emitter } from "./x86-emitter.js";

/** VBROADCAST, VPBROADCAST: element 0 of the source, of `width` bytes, in all elements. */
export function broadcast(width: 1 | 2 | 4 | 8 | 16): Semantics {
  const lanes = Array.from({ length: 16 }, (_, byte) => byte % width);
  return (e, [dst, src]) => {
    const source = readLow(e, src!);
    const all = width === 16 ? source : e.shuffle(source, source, lanes);
    writeHalves(e, dst!, isWide(dst!) ? [all, all] : [all]);
  };
}

/** VPERMILPD with an immediate: one bit a lane, the next two for the upper half. */
export const permuteDoubles: UnaryImmediateLanes = (e, a, imm, half) => shufpd(e, a, a, imm, half);

/** Byte numbers of the 32-bit lanes that lanes of `selector` name, `mask` telling which of its bits count. */
function dwordIndices(e: X86Emitter, selector: Value, mask: number): Value {
  const lanes = e.op("v128.and", selector, e.v128(dwords(mask)));
  return e.op("i8x16.add", e.op("i32x4.mul", lanes, e.v128(dwords(0x04040404))), e.v128(dwords(0x03020100)));
}

/** VPERMILPS by a vector. */
export const permuteSinglesByVector: BinaryLanes = (e, a, b) => e.op("i8x16.swizzle", a, dwordIndices(e, b, 3));

/** VPERMILPD by a vector: bit 1 of each lane. */
export const permuteDoublesByVector: BinaryLanes = (e, a, b) => {
  const upper = e.op("i64x2.shr_s", e.op("i64x2.shl", b, e.i32(62)), e.i32(63));
  const low = e.shuffle(a, a, [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7]);
  const high = e.shuffle(a, a, [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);
  return e.op("v128.bitselect", high, low, upper);
};

/** Bytes of 32 in two pieces, by numbers 0-31: a swizzle gives 0 for numbers that are not its own. */
function swizzlePair(e: X86Emitter, [low, high]: Halves, indices: Value): Value {
  const above = e.op("i8x16.sub", indices, e.v128(bytes(16)));
  return e.op("v128.or", e.op("i8x16.swizzle", low!, indices), e.op("i8x16.swizzle", high!, above));
}

/** VPERMD, VPERMPS: the first source holds the lane numbers. */
export const permuteDwords: Semantics = (e, operands) => {
  const { dst, a, b } = rolesOf(operands);
  const source = readHalves(e, b);
  writeHalves(
    e,
    dst,
    readHalves(e, a).map((selector) => swizzlePair(e, source, dwordIndices(e, selector, 7))),
  );
};

/** VPERMQ, VPERMPD: two bits of the immediate name the source of each lane. */
export const permuteQuads: Semantics = (e, [dst, src, imm]) => {
  const source = readHalves(e, src!);
  const immediate = e.read(imm!);
  const piece = (half: number): Value => {
    const lane = (i: number): Value => e.extendU(e.and(e.shrU(immediate, 4 * half + 2 * i), e.i32(3)));
    if (immediate.constant !== null) {
      const chosen = [0, 1].map((i) => (Number(immediate.constant) >> (4 * half + 2 * i)) & 3);
      return e.shuffle(
        source[0]!,
        source[1]!,
        Array.from({ length: 16 }, (_, byte) => chosen[byte >> 3]! * 8 + (byte & 7)),
      );
    }
    const lanes = e.lane("i64x2.replace_lane", 1, e.op("i64x2.splat", lane(0)), lane(1));
    const starts = e.op("i64x2.mul", lanes, e.v128(quads(0x0808080808080808n)));
    return swizzlePair(e, source, e.op("i8x16.add", starts, e.v128(quads(0x0706050403020100n))));
  };
  writeHalves(e, dst!, [piece(0), piece(1)]);
};

/** One of two vectors: the second if bit `bit` of the immediate is set. */
function pick(e: X86Emitter, imm: Value, bit: number, clear: Value, set: Value): Value {
  if (imm.constant !== null) return (Number(imm.constant) >> bit) & 1 ? set : clear;
  return e.select(e.and(imm, e.i32(1 << bit)), set, clear);
}

/** VPERM2F128, VPERM2I128: each half of the result is a half of one of the sources, or zero. */
export const permuteHalves: Semantics = (e, operands) => {
  const { dst, a, b, rest } = rolesOf(operands);
  const right = readHalves(e, b);
  const left = readHalves(e, a);
  const imm = e.read(rest!);
  const half = (shift: number): Value => {
    const fromA = pick(e, imm, shift, left[0]!, left[1]!);
    const fromB = pick(e, imm, shift, right[0]!, right[1]!);
    return pick(e, imm, shift + 3, pick(e, imm, shift + 1, fromA, fromB), e.v128(bytes(0)));
  };
  writeHalves(e, dst, [half(0), half(4)]);
};

/** VINSERTF128, VINSERTI128 */
export const insertHalf: Semantics = (e, operands) => {
  const { dst, a, b, rest } = rolesOf(operands);
  const inserted = readLow(e, b);
  const [low, high] = readHalves(e, a);
  const imm = e.read(rest!);
  writeHalves(e, dst, [pick(e, imm, 0, inserted, low!), pick(e, imm, 0, high!, inserted)]);
};

/** VEXTRACTF128, VEXTRACTI128 */
export const extractHalf: Semantics = (e, [dst, src, imm]) => {
  const [low, high] = readHalves(e, src!);
  writeLow(e, dst!, pick(e, e.read(imm!), 0, low!, high!));
};

/** VBLENDVPS and its like: the sign bits of a fourth register choose. */
export function blendByRegister(shape: "i8x16" | "i32x4" | "i64x2", bits: number): Semantics {
  return (e, operands) => {
    const { dst, a, b, rest } = rolesOf(operands);
    const right = readHalves(e, b);
    const mask = readHalves(e, rest!).map((half) => e.op(`${shape}.shr_s`, half, e.i32(bits - 1)));
    writeHalves(
      e,
      dst,
      readHalves(e, a).map((left, half) => e.op("v128.bitselect", right[half]!, left, mask[half]!)),
    );
  };
}

type Shift = "shl" | "shr_u" | "shr_s";

/** VPSLLV, VPSRLV, VPSRAV: each lane by a count of its own; counts beyond the lane give 0 or the sign. */
export function shiftByLanes(shape: "i32x4" | "i64x2", kind: Shift): BinaryLanes {
  const [count, width] = shape === "i32x4" ? [4, 32] : [2, 64];
  return (e, a, b) => {
    let result = a;
    for (let i = 0; i < count; i++) {
      const by = e.lane(`${shape}.extract_lane`, i, b);
      const value = e.lane(`${shape}.extract_lane`, i, a);
      const inside = e.ltU(by, e.constantLike(by, width));
      const shifted =
        kind === "shr_s"
          ? e.shrS(value, e.select(inside, by, e.constantLike(by, width - 1)))
          : e.select(inside, kind === "shl" ? e.shl(value, by) : e.shrU(value, by), e.constantLike(value, 0));
      result = e.lane(`${shape}.replace_lane`, i, result, shifted);
    }
    return result;
  };
}

/** Vector registers that the mode has. Needs a form with a model. */
function vectorRegisters(e: X86Emitter): number {
  return e.form.model === "long" ? 16 : 8;
}

/** VZEROUPPER: the upper halves of all registers that the mode has. */
export const zeroUpper: Semantics = (e) => {
  const zero = e.v128(bytes(0));
  for (let i = 0; i < vectorRegisters(e); i++) e.writeVectorRegister(i, 1, zero);
};

/** VZEROALL */
export const zeroAll: Semantics = (e) => {
  const zero = e.v128(bytes(0));
  for (let i = 0; i < vectorRegisters(e); i++) {
    e.writeVectorRegister(i, 0, zero);
    e.writeVectorRegister(i, 1, zero);
  }
};
