// SPDX-License-Identifier: Apache-2.0
// AVX, AVX2 and F16C: what SSE has not.
import * as memory from "../semantics/avx-memory.js";
import * as lanes from "../semantics/avx-shuffle.js";
import * as half from "../semantics/f16c.js";
import type { Semantics } from "../semantics/semantics.js";
import { testSigns } from "../semantics/sse-compare.js";
import { moveScalar } from "../semantics/sse-move.js";
import { packed, packedImmediate, packedUnaryImmediate } from "../semantics/sse-operands.js";
import { blend, pshufd } from "../semantics/sse-shuffle.js";
import { type Attributes, type Opcode, op } from "./opcode.js";

const AVX: Attributes = { unit: "avx", feature: "AVX" };
const AVX2: Attributes = { unit: "avx", feature: "AVX2" };
const F16C: Attributes = { unit: "avx", feature: "F16C" };

/** The 128- and 256-bit lines of one instruction. */
function both(encoding: string, syntax: string, semantics: Semantics, attributes: Attributes): Opcode[] {
  return [128, 256].map((length) => op(`vex.${length} ${encoding}`, syntax, semantics, attributes));
}

function wide(encoding: string, syntax: string, semantics: Semantics, attributes: Attributes): Opcode {
  return op(`vex.256 ${encoding}`, syntax, semantics, attributes);
}

const moves: readonly Opcode[] = [
  op("vex.lig f3 0f 10 /r mem", "vmovss Vd,Md", moveScalar, AVX),
  op("vex.lig f3 0f 10 /r reg", "vmovss Vd,Hd,Ud", moveScalar, AVX),
  op("vex.lig f3 0f 11 /r mem", "vmovss Md,Vd", moveScalar, AVX),
  op("vex.lig f3 0f 11 /r reg", "vmovss Ud,Hd,Vd", moveScalar, AVX),
  op("vex.lig f2 0f 10 /r mem", "vmovsd Vq,Mq", moveScalar, AVX),
  op("vex.lig f2 0f 10 /r reg", "vmovsd Vq,Hq,Uq", moveScalar, AVX),
  op("vex.lig f2 0f 11 /r mem", "vmovsd Mq,Vq", moveScalar, AVX),
  op("vex.lig f2 0f 11 /r reg", "vmovsd Uq,Hq,Vq", moveScalar, AVX),
  op("vex.128 np 0f 77", "vzeroupper", lanes.zeroUpper, { ...AVX, model: true }),
  op("vex.256 np 0f 77", "vzeroall", lanes.zeroAll, { ...AVX, model: true }),
];

const broadcasts: readonly Opcode[] = [
  ...both("66 w0 0f 38 18 /r", "vbroadcastss Vx,Wd", lanes.broadcast(4), AVX),
  wide("66 w0 0f 38 19 /r", "vbroadcastsd Vx,Wq", lanes.broadcast(8), AVX),
  wide("66 w0 0f 38 1a /r mem", "vbroadcastf128 Vx,Mdq", lanes.broadcast(16), AVX),
  wide("66 w0 0f 38 5a /r mem", "vbroadcasti128 Vx,Mdq", lanes.broadcast(16), AVX2),
  ...both("66 w0 0f 38 78 /r", "vpbroadcastb Vx,Wb", lanes.broadcast(1), AVX2),
  ...both("66 w0 0f 38 79 /r", "vpbroadcastw Vx,Ww", lanes.broadcast(2), AVX2),
  ...both("66 w0 0f 38 58 /r", "vpbroadcastd Vx,Wd", lanes.broadcast(4), AVX2),
  ...both("66 w0 0f 38 59 /r", "vpbroadcastq Vx,Wq", lanes.broadcast(8), AVX2),
];

const permutes: readonly Opcode[] = [
  ...both("66 w0 0f 38 0c /r", "vpermilps Vx,Hx,Wx", packed(lanes.permuteSinglesByVector), AVX),
  ...both("66 w0 0f 38 0d /r", "vpermilpd Vx,Hx,Wx", packed(lanes.permuteDoublesByVector), AVX),
  ...both("66 w0 0f 3a 04 /r", "vpermilps Vx,Wx,Lb", packedUnaryImmediate(pshufd), AVX),
  ...both("66 w0 0f 3a 05 /r", "vpermilpd Vx,Wx,Lb", packedUnaryImmediate(lanes.permuteDoubles), AVX),
  wide("66 w0 0f 38 16 /r", "vpermps Vx,Hx,Wx", lanes.permuteDwords, AVX2),
  wide("66 w0 0f 38 36 /r", "vpermd Vx,Hx,Wx", lanes.permuteDwords, AVX2),
  wide("66 w1 0f 3a 00 /r", "vpermq Vx,Wx,Lb", lanes.permuteQuads, AVX2),
  wide("66 w1 0f 3a 01 /r", "vpermpd Vx,Wx,Lb", lanes.permuteQuads, AVX2),
  wide("66 w0 0f 3a 06 /r", "vperm2f128 Vx,Hx,Wx,Lb", lanes.permuteHalves, AVX),
  wide("66 w0 0f 3a 46 /r", "vperm2i128 Vx,Hx,Wx,Lb", lanes.permuteHalves, AVX2),
  wide("66 w0 0f 3a 18 /r", "vinsertf128 Vx,Hx,Wdq,Lb", lanes.insertHalf, AVX),
  wide("66 w0 0f 3a 38 /r", "vinserti128 Vx,Hx,Wdq,Lb", lanes.insertHalf, AVX2),
  wide("66 w0 0f 3a 19 /r", "vextractf128 Wdq,Vx,Lb", lanes.extractHalf, AVX),
  wide("66 w0 0f 3a 39 /r", "vextracti128 Wdq,Vx,Lb", lanes.extractHalf, AVX2),
];

const blends: readonly Opcode[] = [
  ...both("66 w0 0f 3a 02 /r", "vpblendd Vx,Hx,Wx,Lb", packedImmediate(blend("i32x4")), AVX2),
  ...both("66 w0 0f 3a 4a /r", "vblendvps Vx,Hx,Wx,Kx", lanes.blendByRegister("i32x4", 32), AVX),
  ...both("66 w0 0f 3a 4b /r", "vblendvpd Vx,Hx,Wx,Kx", lanes.blendByRegister("i64x2", 64), AVX),
  op("vex.128 66 w0 0f 3a 4c /r", "vpblendvb Vx,Hx,Wx,Kx", lanes.blendByRegister("i8x16", 8), AVX),
  wide("66 w0 0f 3a 4c /r", "vpblendvb Vx,Hx,Wx,Kx", lanes.blendByRegister("i8x16", 8), AVX2),
];

const shiftsAndTests: readonly Opcode[] = [
  ...both("66 w0 0f 38 45 /r", "vpsrlvd Vx,Hx,Wx", packed(lanes.shiftByLanes("i32x4", "shr_u")), AVX2),
  ...both("66 w1 0f 38 45 /r", "vpsrlvq Vx,Hx,Wx", packed(lanes.shiftByLanes("i64x2", "shr_u")), AVX2),
  ...both("66 w0 0f 38 46 /r", "vpsravd Vx,Hx,Wx", packed(lanes.shiftByLanes("i32x4", "shr_s")), AVX2),
  ...both("66 w0 0f 38 47 /r", "vpsllvd Vx,Hx,Wx", packed(lanes.shiftByLanes("i32x4", "shl")), AVX2),
  ...both("66 w1 0f 38 47 /r", "vpsllvq Vx,Hx,Wx", packed(lanes.shiftByLanes("i64x2", "shl")), AVX2),
  ...both("66 w0 0f 38 0e /r", "vtestps Vx,Wx", testSigns(32), AVX),
  ...both("66 w0 0f 38 0f /r", "vtestpd Vx,Wx", testSigns(64), AVX),
];

const AVX_ELEMENTS: Attributes = { ...AVX, elements: true };
const AVX2_ELEMENTS: Attributes = { ...AVX2, elements: true };

const maskedMoves: readonly Opcode[] = [
  ...both("66 w0 0f 38 2c /r mem", "vmaskmovps Vx,Hx,Mx", memory.maskedLoad(4), AVX_ELEMENTS),
  ...both("66 w0 0f 38 2d /r mem", "vmaskmovpd Vx,Hx,Mx", memory.maskedLoad(8), AVX_ELEMENTS),
  ...both("66 w0 0f 38 2e /r mem", "vmaskmovps Mx,Hx,Vx", memory.maskedStoreElements(4), AVX_ELEMENTS),
  ...both("66 w0 0f 38 2f /r mem", "vmaskmovpd Mx,Hx,Vx", memory.maskedStoreElements(8), AVX_ELEMENTS),
  ...both("66 w0 0f 38 8c /r mem", "vpmaskmovd Vx,Hx,Mx", memory.maskedLoad(4), AVX2_ELEMENTS),
  ...both("66 w1 0f 38 8c /r mem", "vpmaskmovq Vx,Hx,Mx", memory.maskedLoad(8), AVX2_ELEMENTS),
  ...both("66 w0 0f 38 8e /r mem", "vpmaskmovd Mx,Hx,Vx", memory.maskedStoreElements(4), AVX2_ELEMENTS),
  ...both("66 w1 0f 38 8e /r mem", "vpmaskmovq Mx,Hx,Vx", memory.maskedStoreElements(8), AVX2_ELEMENTS),
];

/** Gathers by dword and by qword indices, of dwords and of qwords. */
function gathers(byDword: string, byQword: string, name: string, [d, q]: readonly [string, string]): Opcode[] {
  const index = (vsib: "x" | "dq"): Attributes => ({ ...AVX2_ELEMENTS, vsib });
  return [
    ...both(`66 w0 0f 38 ${byDword} /r mem`, `${name}d${d} Vx,Md,Hx`, memory.gather(4, 4), index("x")),
    ...both(`66 w1 0f 38 ${byDword} /r mem`, `${name}d${q} Vx,Mq,Hx`, memory.gather(8, 4), index("dq")),
    ...both(`66 w0 0f 38 ${byQword} /r mem`, `${name}q${d} Vdq,Md,Hdq`, memory.gather(4, 8), index("x")),
    ...both(`66 w1 0f 38 ${byQword} /r mem`, `${name}q${q} Vx,Mq,Hx`, memory.gather(8, 8), index("x")),
  ];
}

const conversions: readonly Opcode[] = [
  op("vex.128 66 w0 0f 38 13 /r", "vcvtph2ps Vx,Wq", half.halfToSingle, F16C),
  op("vex.256 66 w0 0f 38 13 /r", "vcvtph2ps Vx,Wdq", half.halfToSingle, F16C),
  op("vex.128 66 w0 0f 3a 1d /r", "vcvtps2ph Wq,Vx,Lb", half.singleToHalf, F16C),
  op("vex.256 66 w0 0f 3a 1d /r", "vcvtps2ph Wdq,Vx,Lb", half.singleToHalf, F16C),
];

export const avxOpcodes: readonly Opcode[] = [
  ...moves,
  ...broadcasts,
  ...permutes,
  ...blends,
  ...shiftsAndTests,
  ...maskedMoves,
  ...gathers("90", "91", "vpgather", ["d", "q"]),
  ...gathers("92", "93", "vgather", ["ps", "pd"]),
  ...conversions,
];
