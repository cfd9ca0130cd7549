// SPDX-License-Identifier: Apache-2.0
// Unpacking, shuffling, blending, and single lanes of vector registers.
import * as lane from "../semantics/sse-lane.js";
import { blendByXmm0 } from "../semantics/sse-move.js";
import {
  type BinaryLanes,
  mmx,
  mmxImmediate,
  packed,
  packedImmediate,
  packedUnaryImmediate,
  type UnaryImmediateLanes,
} from "../semantics/sse-operands.js";
import * as shuffle from "../semantics/sse-shuffle.js";
import { type Opcode, op } from "./opcode.js";

const MMX = { unit: "mmx" } as const;
const SSE = { unit: "sse" } as const;
const SSE41 = { unit: "sse", feature: "SSE4.1" } as const;

/** PUNPCKL: memory operands of the MMX form have 32 bits. */
function unpackLow(code: string, name: string, width: number): Opcode[] {
  return [
    op(`np 0f ${code} /r`, `${name} Pq,Qd`, mmx(shuffle.interleave(width, 0)), MMX),
    op(`66 0f ${code} /r`, `${name} Vx,Wx`, packed(shuffle.interleave(width, 0)), SSE),
  ];
}

/** PUNPCKH: the upper half of an MMX register begins at byte 4. */
function unpackHigh(code: string, name: string, width: number): Opcode[] {
  return [
    op(`np 0f ${code} /r`, `${name} Pq,Qq`, mmx(shuffle.interleave(width, 4)), MMX),
    op(`66 0f ${code} /r`, `${name} Vx,Wx`, packed(shuffle.interleave(width, 8)), SSE),
  ];
}

/** One source and an immediate. */
const permute = (encoding: string, name: string, value: UnaryImmediateLanes): Opcode =>
  op(encoding, `${name} Vx,Wx,Lb`, packedUnaryImmediate(value), SSE);

const unpack = (encoding: string, name: string, value: BinaryLanes): Opcode =>
  op(encoding, `${name} Vx,Wx`, packed(value), SSE);

export const sseShuffle: readonly Opcode[] = [
  unpack("np 0f 14 /r", "unpcklps", shuffle.interleave(4, 0)),
  unpack("66 0f 14 /r", "unpcklpd", shuffle.interleave(8, 0)),
  unpack("np 0f 15 /r", "unpckhps", shuffle.interleave(4, 8)),
  unpack("66 0f 15 /r", "unpckhpd", shuffle.interleave(8, 8)),
  ...unpackLow("60", "punpcklbw", 1),
  ...unpackLow("61", "punpcklwd", 2),
  ...unpackLow("62", "punpckldq", 4),
  ...unpackHigh("68", "punpckhbw", 1),
  ...unpackHigh("69", "punpckhwd", 2),
  ...unpackHigh("6a", "punpckhdq", 4),
  unpack("66 0f 6c /r", "punpcklqdq", shuffle.interleave(8, 0)),
  unpack("66 0f 6d /r", "punpckhqdq", shuffle.interleave(8, 8)),

  op(
    "np 0f 70 /r",
    "pshufw Pq,Qq,Lb",
    mmxImmediate((e, _a, b, imm, half) => shuffle.shuffleWords(0)(e, b, imm, half)),
    MMX,
  ),
  permute("66 0f 70 /r", "pshufd", shuffle.pshufd),
  permute("f3 0f 70 /r", "pshufhw", shuffle.shuffleWords(4)),
  permute("f2 0f 70 /r", "pshuflw", shuffle.shuffleWords(0)),
  op("np 0f c6 /r", "shufps Vx,Wx,Lb", packedImmediate(shuffle.shufps), SSE),
  op("66 0f c6 /r", "shufpd Vx,Wx,Lb", packedImmediate(shuffle.shufpd), SSE),
  op("np 0f 38 00 /r", "pshufb Pq,Qq", mmx(shuffle.pshufbMmx), { unit: "mmx", feature: "SSSE3" }),
  op("66 0f 38 00 /r", "pshufb Vx,Wx", packed(shuffle.pshufb), { unit: "sse", feature: "SSSE3" }),

  op("66 0f 3a 0c /r", "blendps Vx,Wx,Lb", packedImmediate(shuffle.blend("i32x4")), SSE41),
  op("66 0f 3a 0d /r", "blendpd Vx,Wx,Lb", packedImmediate(shuffle.blend("i64x2")), SSE41),
  op("66 0f 3a 0e /r", "pblendw Vx,Wx,Lb", packedImmediate(shuffle.pblendw), SSE41),
  op("66 0f 38 10 /r", "pblendvb Vx,Wx", blendByXmm0("i8x16", 8), SSE41),
  op("66 0f 38 14 /r", "blendvps Vx,Wx", blendByXmm0("i32x4", 32), SSE41),
  op("66 0f 38 15 /r", "blendvpd Vx,Wx", blendByXmm0("i64x2", 64), SSE41),
  op("66 0f 3a 21 /r", "insertps Vx,Wd,Lb", lane.insertps, SSE41),

  op("np 0f c4 /r reg", "pinsrw Pq,Rd,Lb", lane.pinsrwMmx, MMX),
  op("np 0f c4 /r mem", "pinsrw Pq,Mw,Lb", lane.pinsrwMmx, MMX),
  op("66 0f c4 /r reg", "pinsrw Vx,Rd,Lb", lane.pinsr("i16x8"), SSE),
  op("66 0f c4 /r mem", "pinsrw Vx,Mw,Lb", lane.pinsr("i16x8"), SSE),
  op("np 0f c5 /r", "pextrw Gd,Nq,Lb", lane.pextrwMmx, MMX),
  op("66 0f c5 /r", "pextrw Gd,Ux,Lb", lane.pextr("i16x8"), SSE),
  op("66 0f 3a 14 /r reg", "pextrb Rd,Vx,Lb", lane.pextr("i8x16"), SSE41),
  op("66 0f 3a 14 /r mem", "pextrb Mb,Vx,Lb", lane.pextr("i8x16"), SSE41),
  op("66 0f 3a 15 /r reg", "pextrw Rd,Vx,Lb", lane.pextr("i16x8"), SSE41),
  op("66 0f 3a 15 /r mem", "pextrw Mw,Vx,Lb", lane.pextr("i16x8"), SSE41),
  op("66 w1 0f 3a 16 /r", "pextrq Eq,Vx,Lb", lane.pextrd, SSE41),
  op("66 0f 3a 16 /r", "pextrd Ed,Vx,Lb", lane.pextrd, SSE41),
  op("66 0f 3a 17 /r", "extractps Ed,Vx,Lb", lane.pextrd, SSE41),
  op("66 0f 3a 20 /r reg", "pinsrb Vx,Rd,Lb", lane.pinsr("i8x16"), SSE41),
  op("66 0f 3a 20 /r mem", "pinsrb Vx,Mb,Lb", lane.pinsr("i8x16"), SSE41),
  op("66 w1 0f 3a 22 /r", "pinsrq Vx,Eq,Lb", lane.pinsrd, SSE41),
  op("66 0f 3a 22 /r", "pinsrd Vx,Ed,Lb", lane.pinsrd, SSE41),

  op("np 0f 50 /r", "movmskps Gd,Ux", lane.signMask("i32x4.bitmask"), SSE),
  op("66 0f 50 /r", "movmskpd Gd,Ux", lane.signMask("i64x2.bitmask"), SSE),
  op("np 0f d7 /r", "pmovmskb Gd,Nq", lane.pmovmskbMmx, MMX),
  op("66 0f d7 /r", "pmovmskb Gd,Ux", lane.signMask("i8x16.bitmask"), SSE),
];
