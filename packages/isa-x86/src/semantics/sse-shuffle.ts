// SPDX-License-Identifier: Apache-2.0
// Shuffles. An immediate that is constant gives a WebAssembly shuffle; one that comes from a decoded record is spread
// over the lanes of an index vector for a swizzle.
import type { Value } from "@isola/engine";
import {
  type BinaryLanes,
  bytes,
  dwords,
  type ImmediateLanes,
  quads,
  type UnaryImmediateLanes,
  type UnaryLanes,
  words,
} from "./sse-operands.js";
import type { X86Emitter } from "./x86-emitter.js";

/** A shuffle that is the same for all immediates: byte numbers 0-15 of the first source, 16-31 of the second. */
export function fixed(...lanes: readonly number[]): BinaryLanes {
  return (e, a, b) => e.shuffle(a, b, lanes);
}

/** The same for one source. */
export function fixedUnary(...lanes: readonly number[]): UnaryLanes {
  return (e, a) => e.shuffle(a, a, lanes);
}

/** PUNPCKL and PUNPCKH: lanes of `width` bytes of both sources alternate, beginning at byte `first`. */
export function interleave(width: number, first: number): BinaryLanes {
  const lanes = Array.from({ length: 16 }, (_, i) => {
    const lane = Math.floor(i / width);
    return first + Math.floor(lane / 2) * width + (i % width) + (lane % 2) * 16;
  });
  return fixed(...lanes);
}

/** PSHUFB: index bytes with bit 7 set give 0; a swizzle does that for everything above 15. */
export const pshufb: BinaryLanes = (e, a, b) => e.op("i8x16.swizzle", a, e.op("v128.and", b, e.v128(bytes(0x8f))));

/** PSHUFB on MMX registers: three index bits count. */
export const pshufbMmx: BinaryLanes = (e, a, b) => e.op("i8x16.swizzle", a, e.op("v128.and", b, e.v128(bytes(0x87))));

const twoBits = (imm: number, lane: number): number => (imm >> (lane * 2)) & 3;

/** Byte numbers of the 32-bit lanes that the four 2-bit fields of the immediate choose, as an index vector. */
function dwordIndices(e: X86Emitter, imm: Value): Value {
  // Multiplying moves each field to bits 6 and 7 of its lane; there it is taken as a lane number times 4.
  const spread = e.op("i16x8.mul", e.op("i16x8.splat", imm), e.v128(dwords(64, 16, 4, 1)));
  const starts = e.op("v128.and", e.op("i16x8.shr_u", spread, e.i32(4)), e.v128(dwords(12)));
  const repeated = e.shuffle(starts, starts, [0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12]);
  return e.op("i8x16.add", repeated, e.v128(dwords(0x03020100)));
}

/** PSHUFD */
export const pshufd: UnaryImmediateLanes = (e, a, imm) => {
  if (imm.constant === null) return e.op("i8x16.swizzle", a, dwordIndices(e, imm));
  const fields = Number(imm.constant);
  return e.shuffle(
    a,
    a,
    Array.from({ length: 16 }, (_, i) => twoBits(fields, i >> 2) * 4 + (i & 3)),
  );
};

/** PSHUFLW and PSHUFW (first = 0), PSHUFHW (first = 4): permutes four 16-bit lanes from `first` on. */
export function shuffleWords(first: 0 | 4): UnaryImmediateLanes {
  const moves = (lane: number): boolean => lane >= first && lane < first + 4;
  return (e, a, imm) => {
    if (imm.constant !== null) {
      const fields = Number(imm.constant);
      const lanes = Array.from({ length: 16 }, (_, i) =>
        moves(i >> 1) ? (first + twoBits(fields, (i >> 1) - first)) * 2 + (i & 1) : i,
      );
      return e.shuffle(a, a, lanes);
    }
    const factors = [64, 16, 4, 1];
    const lane = Array.from({ length: 8 }, (_, i) => i);
    const spread = e.op(
      "i16x8.mul",
      e.op("i16x8.splat", imm),
      e.v128(words(...lane.map((i) => (moves(i) ? factors[i - first]! : 0)))),
    );
    const starts = e.op("v128.and", e.op("i16x8.shr_u", spread, e.i32(5)), e.v128(words(6)));
    const repeated = e.shuffle(
      starts,
      starts,
      lane.flatMap((i) => [i * 2, i * 2]),
    );
    const base = lane.map((i) => (moves(i) ? first : i) * 2).map((byte) => ((byte + 1) << 8) | byte);
    return e.op("i8x16.swizzle", a, e.op("i8x16.add", repeated, e.v128(words(...base))));
  };
}

/** SHUFPS: two lanes of the first source, then two of the second. */
export const shufps: ImmediateLanes = (e, a, b, imm) => {
  if (imm.constant !== null) {
    const fields = Number(imm.constant);
    return e.shuffle(
      a,
      b,
      Array.from({ length: 16 }, (_, i) => twoBits(fields, i >> 2) * 4 + (i & 3) + (i >> 3) * 16),
    );
  }
  const indices = dwordIndices(e, imm);
  const low = e.op("i8x16.swizzle", a, indices);
  const high = e.op("i8x16.swizzle", b, indices);
  return e.shuffle(low, high, [0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31]);
};

/** SHUFPD: bit 0 chooses the lane of the first source, bit 1 the one of the second; the upper half has the next two. */
export const shufpd: ImmediateLanes = (e, a, b, imm, half) => {
  const lane = (vector: Value, bit: number): Value => {
    const low = e.lane("i64x2.extract_lane", 0, vector);
    const high = e.lane("i64x2.extract_lane", 1, vector);
    const chosen = bit + 2 * half;
    if (imm.constant !== null) return (Number(imm.constant) >> chosen) & 1 ? high : low;
    return e.select(e.and(imm, e.i32(1 << chosen)), high, low);
  };
  return e.lane("i64x2.replace_lane", 1, e.op("i64x2.splat", lane(a, 0)), lane(b, 1));
};

const LANE_BYTES = { i16x8: 2, i32x4: 4, i64x2: 8 } as const;
const LANE_BITS = {
  i16x8: words(1, 2, 4, 8, 16, 32, 64, 128),
  i32x4: dwords(1, 2, 4, 8),
  i64x2: quads(1n, 2n),
} as const;

/** A vector with all bits of lane n set where bit n of `imm` is set, counted from bit `first` on. */
function maskOfBits(e: X86Emitter, lanes: "i16x8" | "i32x4" | "i64x2", imm: Value, first = 0): Value {
  if (imm.constant !== null) {
    const width = LANE_BYTES[lanes];
    const fields = Number(imm.constant) >> first;
    return e.v128(Array.from({ length: 16 }, (_, i) => ((fields >> Math.floor(i / width)) & 1 ? 0xff : 0)));
  }
  const bitsOfLanes = e.shrU(imm, first);
  const spread = lanes === "i64x2" ? e.op("i64x2.splat", e.extendU(bitsOfLanes)) : e.op(`${lanes}.splat`, bitsOfLanes);
  const bits = e.v128(LANE_BITS[lanes]);
  return e.op(`${lanes}.eq`, e.op("v128.and", spread, bits), bits);
}

/** BLENDPS, BLENDPD: lanes of the second source where the immediate has a bit; the upper half has the next bits. */
export function blend(lanes: "i32x4" | "i64x2"): ImmediateLanes {
  const count = lanes === "i32x4" ? 4 : 2;
  return (e, a, b, imm, half) => e.op("v128.bitselect", b, a, maskOfBits(e, lanes, imm, count * half));
}

/** PBLENDW: the same on 16-bit lanes, with one immediate for both halves. */
export const pblendw: ImmediateLanes = (e, a, b, imm) => e.op("v128.bitselect", b, a, maskOfBits(e, "i16x8", imm));

/**
 * INSERTPS: lane `source` of `b` goes to lane imm[5:4] of `a`, then lanes named by imm[3:0] become zero.
 * @param fromMemory `b` is a 32-bit memory operand in lane 0; else imm[7:6] names its lane
 */
export function insertps(e: X86Emitter, a: Value, b: Value, imm: Value, fromMemory: boolean): Value {
  const first = e.v128(dwords(0x03020100));
  const start = e.and(e.shrU(imm, 4), e.i32(12));
  const source = e.op("i8x16.swizzle", b, fromMemory ? first : e.op("i8x16.add", first, e.op("i8x16.splat", start)));
  const destination = e.op("i32x4.splat", e.and(e.shrU(imm, 4), e.i32(3)));
  const chosen = e.op("i32x4.eq", destination, e.v128(dwords(0, 1, 2, 3)));
  const merged = e.op("v128.bitselect", source, a, chosen);
  return e.op("v128.andnot", merged, maskOfBits(e, "i32x4", imm));
}
