// SPDX-License-Identifier: Apache-2.0
// Integer lanes of MMX, SSE2, SSSE3, SSE4.1: what one 128-bit vector instruction computes.
import type { PlainOpName } from "@isola/wasm";
import type { Semantics } from "./semantics.js";
import { byHelperImmediate } from "./sse-crypto.js";
import { type BinaryLanes, bytes, type ImmediateLanes, quads, type UnaryLanes, words } from "./sse-operands.js";
import { isWide, readLow, writeHalves } from "./vector-operand.js";

type BinaryOpName = {
  [K in PlainOpName]: K extends `${"i8x16" | "i16x8" | "i32x4" | "i64x2" | "v128"}.${string}` ? K : never;
}[PlainOpName];

/** Lanes that are one WebAssembly instruction. */
export function plain(name: BinaryOpName): BinaryLanes {
  return (e, a, b) => e.op(name, a, b);
}

/** One WebAssembly instruction on one source. */
export function plainUnary(name: BinaryOpName): UnaryLanes {
  return (e, a) => e.op(name, a);
}

/** PANDN complements the first source; WebAssembly's andnot the second. */
export const pandn: BinaryLanes = (e, a, b) => e.op("v128.andnot", b, a);

/** Bytes of the odd 16-bit lanes of a vector pair: the upper halves of 32-bit products. */
const ODD_WORDS = [2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31];

export const pmulhw: BinaryLanes = (e, a, b) =>
  e.shuffle(e.op("i32x4.extmul_low_i16x8_s", a, b), e.op("i32x4.extmul_high_i16x8_s", a, b), ODD_WORDS);

export const pmulhuw: BinaryLanes = (e, a, b) =>
  e.shuffle(e.op("i32x4.extmul_low_i16x8_u", a, b), e.op("i32x4.extmul_high_i16x8_u", a, b), ODD_WORDS);

/** The WebAssembly instruction saturates 8000 * 8000 to 7fff, where PMULHRSW wraps to 8000. */
export const pmulhrsw: BinaryLanes = (e, a, b) => {
  const minimum = e.v128(words(0x8000));
  const wraps = e.op("v128.and", e.op("i16x8.eq", a, minimum), e.op("i16x8.eq", b, minimum));
  return e.op("v128.xor", e.op("i16x8.q15mulr_sat_s", a, b), wraps);
};

/** Products of unsigned bytes of `a` and signed bytes of `b`, added in pairs with saturation. */
export const pmaddubsw: BinaryLanes = (e, a, b) => {
  const even = e.op(
    "i16x8.mul",
    e.op("v128.and", a, e.v128(words(0x00ff))),
    e.op("i16x8.shr_s", e.op("i16x8.shl", b, e.i32(8)), e.i32(8)),
  );
  const odd = e.op("i16x8.mul", e.op("i16x8.shr_u", a, e.i32(8)), e.op("i16x8.shr_s", b, e.i32(8)));
  return e.op("i16x8.add_sat_s", even, odd);
};

const EVEN_DWORDS_LOW = [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11];

function multiplyEven(name: "i64x2.extmul_low_i32x4_s" | "i64x2.extmul_low_i32x4_u"): BinaryLanes {
  return (e, a, b) => e.op(name, e.shuffle(a, a, EVEN_DWORDS_LOW), e.shuffle(b, b, EVEN_DWORDS_LOW));
}

export const pmuludq: BinaryLanes = multiplyEven("i64x2.extmul_low_i32x4_u");
export const pmuldq: BinaryLanes = multiplyEven("i64x2.extmul_low_i32x4_s");

/** Sum of the absolute differences of eight bytes, in each half. */
export const psadbw: BinaryLanes = (e, a, b) => {
  const difference = e.op("v128.or", e.op("i8x16.sub_sat_u", a, b), e.op("i8x16.sub_sat_u", b, a));
  const sums = e.op("i32x4.extadd_pairwise_i16x8_u", e.op("i16x8.extadd_pairwise_i8x16_u", difference));
  return e.op("i64x2.add", e.op("v128.and", sums, e.v128(quads(0xffff_ffffn))), e.op("i64x2.shr_u", sums, e.i32(32)));
};

/** MPSADBW: the immediate has three bits for each half. */
export const mpsadbw: ImmediateLanes = (e, a, b, imm, half) =>
  byHelperImmediate("multipleSad")(e, a, b, e.shrU(imm, 3 * half), half);

type Shape = "i8x16" | "i16x8" | "i32x4";

/** Negates lanes of `a` where `b` is negative, clears them where it is zero. */
export function psign(shape: Shape): BinaryLanes {
  return (e, a, b) => {
    const zero = e.v128(bytes(0));
    const negative = e.op(`${shape}.lt_s`, b, zero);
    const signed = e.op(`${shape}.sub`, e.op("v128.xor", a, negative), negative);
    return e.op("v128.andnot", signed, e.op(`${shape}.eq`, b, zero));
  };
}

const EVEN_WORDS = [0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29];
const EVEN_DWORDS = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];
const ODD_DWORDS = EVEN_DWORDS.map((byte) => byte + 4);

/** Combines neighbouring lanes: those of `a` give the lower half of the result, those of `b` the upper one. */
export function horizontal(
  name: "i16x8.add" | "i16x8.sub" | "i16x8.add_sat_s" | "i16x8.sub_sat_s" | "i32x4.add" | "i32x4.sub",
): BinaryLanes {
  const [even, odd] = name.startsWith("i16x8") ? [EVEN_WORDS, ODD_WORDS] : [EVEN_DWORDS, ODD_DWORDS];
  return (e, a, b) => e.op(name, e.shuffle(a, b, even), e.shuffle(a, b, odd));
}

type Extension = `${"i16x8" | "i32x4" | "i64x2"}.extend_low_${"i8x16" | "i16x8" | "i32x4"}_${"s" | "u"}`;

/** PMOVSX and PMOVZX: widens the lowest lanes of the source step by step; with VEX.L the lanes behind them, too. */
export function extend(...names: readonly Extension[]): Semantics {
  const used = 16 >> names.length;
  const behind = Array.from({ length: 16 }, (_, byte) => (byte + used) & 15);
  return (e, [dst, src]) => {
    const source = readLow(e, src!);
    const sources = isWide(dst!) ? [source, e.shuffle(source, source, behind)] : [source];
    writeHalves(
      e,
      dst!,
      sources.map((piece) => names.reduce((vector, name) => e.op(name as PlainOpName, vector), piece)),
    );
  };
}
