// SPDX-License-Identifier: Apache-2.0
// Integer arithmetic and logic on MMX and XMM registers: MMX, SSE, SSE2, SSSE3, SSE4.1, SSE4.2.
import type { Semantics } from "../semantics/semantics.js";
import { byHelper } from "../semantics/sse-crypto.js";
import * as lanes from "../semantics/sse-integer.js";
import { plain, plainUnary } from "../semantics/sse-integer.js";
import {
  type BinaryLanes,
  halves,
  mmx,
  mmxImmediate,
  mmxUnary,
  packed,
  packedImmediate,
  packedUnary,
  type UnaryLanes,
} from "../semantics/sse-operands.js";
import * as shift from "../semantics/sse-shift.js";
import { type Opcode, op } from "./opcode.js";

const MMX = { unit: "mmx" } as const;
const SSE = { unit: "sse" } as const;
const MMX_SSSE3 = { unit: "mmx", feature: "SSSE3" } as const;
const SSSE3 = { unit: "sse", feature: "SSSE3" } as const;
const SSE41 = { unit: "sse", feature: "SSE4.1" } as const;
const SSE42 = { unit: "sse", feature: "SSE4.2" } as const;

/** An instruction of MMX that SSE2 extended to XMM registers. */
function both(code: string, name: string, xmm: BinaryLanes, mm: BinaryLanes = xmm): Opcode[] {
  return [
    op(`np 0f ${code} /r`, `${name} Pq,Qq`, mmx(mm), MMX),
    op(`66 0f ${code} /r`, `${name} Vx,Wx`, packed(xmm), SSE),
  ];
}

/** An instruction of SSSE3. */
function ssse3(code: string, name: string, xmm: BinaryLanes, mm: BinaryLanes = xmm): Opcode[] {
  return [
    op(`np 0f 38 ${code} /r`, `${name} Pq,Qq`, mmx(mm), MMX_SSSE3),
    op(`66 0f 38 ${code} /r`, `${name} Vx,Wx`, packed(xmm), SSSE3),
  ];
}

function absolute(code: string, name: string, value: UnaryLanes): Opcode[] {
  return [
    op(`np 0f 38 ${code} /r`, `${name} Pq,Qq`, mmxUnary(value), MMX_SSSE3),
    op(`66 0f 38 ${code} /r`, `${name} Vx,Wx`, packedUnary(value), SSSE3),
  ];
}

function sse41(code: string, name: string, xmm: BinaryLanes): Opcode {
  return op(`66 0f 38 ${code} /r`, `${name} Vx,Wx`, packed(xmm), SSE41);
}

/** Shift by the low quadword of a register or memory: D1-F3. */
function shiftByVector(code: string, name: string, width: shift.ShiftLanes, kind: shift.ShiftKind): Opcode[] {
  return [
    op(`np 0f ${code} /r`, `${name} Pq,Qq`, shift.shiftMmx(width, kind), MMX),
    op(`66 0f ${code} /r`, `${name} Vx,Wx`, shift.shift(width, kind), SSE),
  ];
}

/** Shift by an immediate: groups 12, 13 and 14. */
function shiftByImmediate(code: string, name: string, width: shift.ShiftLanes, kind: shift.ShiftKind): Opcode[] {
  return [
    op(`np 0f ${code} reg`, `${name} Nq,Lb`, shift.shiftImmediateMmx(width, kind), MMX),
    op(`66 0f ${code} reg`, `${name} Ux,Lb`, shift.shiftImmediate(width, kind), SSE),
  ];
}

export const sseInteger: readonly Opcode[] = [
  ...both("63", "packsswb", plain("i8x16.narrow_i16x8_s"), halves(plain("i8x16.narrow_i16x8_s"))),
  ...both("64", "pcmpgtb", plain("i8x16.gt_s")),
  ...both("65", "pcmpgtw", plain("i16x8.gt_s")),
  ...both("66", "pcmpgtd", plain("i32x4.gt_s")),
  ...both("67", "packuswb", plain("i8x16.narrow_i16x8_u"), halves(plain("i8x16.narrow_i16x8_u"))),
  ...both("6b", "packssdw", plain("i16x8.narrow_i32x4_s"), halves(plain("i16x8.narrow_i32x4_s"))),
  ...both("74", "pcmpeqb", plain("i8x16.eq")),
  ...both("75", "pcmpeqw", plain("i16x8.eq")),
  ...both("76", "pcmpeqd", plain("i32x4.eq")),
  ...both("d4", "paddq", plain("i64x2.add")),
  ...both("d5", "pmullw", plain("i16x8.mul")),
  ...both("d8", "psubusb", plain("i8x16.sub_sat_u")),
  ...both("d9", "psubusw", plain("i16x8.sub_sat_u")),
  ...both("da", "pminub", plain("i8x16.min_u")),
  ...both("db", "pand", plain("v128.and")),
  ...both("dc", "paddusb", plain("i8x16.add_sat_u")),
  ...both("dd", "paddusw", plain("i16x8.add_sat_u")),
  ...both("de", "pmaxub", plain("i8x16.max_u")),
  ...both("df", "pandn", lanes.pandn),
  ...both("e0", "pavgb", plain("i8x16.avgr_u")),
  ...both("e3", "pavgw", plain("i16x8.avgr_u")),
  ...both("e4", "pmulhuw", lanes.pmulhuw),
  ...both("e5", "pmulhw", lanes.pmulhw),
  ...both("e8", "psubsb", plain("i8x16.sub_sat_s")),
  ...both("e9", "psubsw", plain("i16x8.sub_sat_s")),
  ...both("ea", "pminsw", plain("i16x8.min_s")),
  ...both("eb", "por", plain("v128.or")),
  ...both("ec", "paddsb", plain("i8x16.add_sat_s")),
  ...both("ed", "paddsw", plain("i16x8.add_sat_s")),
  ...both("ee", "pmaxsw", plain("i16x8.max_s")),
  ...both("ef", "pxor", plain("v128.xor")),
  ...both("f4", "pmuludq", lanes.pmuludq),
  ...both("f5", "pmaddwd", plain("i32x4.dot_i16x8_s")),
  ...both("f6", "psadbw", lanes.psadbw),
  ...both("f8", "psubb", plain("i8x16.sub")),
  ...both("f9", "psubw", plain("i16x8.sub")),
  ...both("fa", "psubd", plain("i32x4.sub")),
  ...both("fb", "psubq", plain("i64x2.sub")),
  ...both("fc", "paddb", plain("i8x16.add")),
  ...both("fd", "paddw", plain("i16x8.add")),
  ...both("fe", "paddd", plain("i32x4.add")),

  ...shiftByVector("d1", "psrlw", "i16x8", "shr_u"),
  ...shiftByVector("d2", "psrld", "i32x4", "shr_u"),
  ...shiftByVector("d3", "psrlq", "i64x2", "shr_u"),
  ...shiftByVector("e1", "psraw", "i16x8", "shr_s"),
  ...shiftByVector("e2", "psrad", "i32x4", "shr_s"),
  ...shiftByVector("f1", "psllw", "i16x8", "shl"),
  ...shiftByVector("f2", "pslld", "i32x4", "shl"),
  ...shiftByVector("f3", "psllq", "i64x2", "shl"),
  ...shiftByImmediate("71 /2", "psrlw", "i16x8", "shr_u"),
  ...shiftByImmediate("71 /4", "psraw", "i16x8", "shr_s"),
  ...shiftByImmediate("71 /6", "psllw", "i16x8", "shl"),
  ...shiftByImmediate("72 /2", "psrld", "i32x4", "shr_u"),
  ...shiftByImmediate("72 /4", "psrad", "i32x4", "shr_s"),
  ...shiftByImmediate("72 /6", "pslld", "i32x4", "shl"),
  ...shiftByImmediate("73 /2", "psrlq", "i64x2", "shr_u"),
  ...shiftByImmediate("73 /6", "psllq", "i64x2", "shl"),
  op("66 0f 73 /3 reg", "psrldq Ux,Lb", shift.shiftBytesRight, SSE),
  op("66 0f 73 /7 reg", "pslldq Ux,Lb", shift.shiftBytesLeft, SSE),

  ...ssse3("01", "phaddw", lanes.horizontal("i16x8.add"), halves(lanes.horizontal("i16x8.add"))),
  ...ssse3("02", "phaddd", lanes.horizontal("i32x4.add"), halves(lanes.horizontal("i32x4.add"))),
  ...ssse3("03", "phaddsw", lanes.horizontal("i16x8.add_sat_s"), halves(lanes.horizontal("i16x8.add_sat_s"))),
  ...ssse3("04", "pmaddubsw", lanes.pmaddubsw),
  ...ssse3("05", "phsubw", lanes.horizontal("i16x8.sub"), halves(lanes.horizontal("i16x8.sub"))),
  ...ssse3("06", "phsubd", lanes.horizontal("i32x4.sub"), halves(lanes.horizontal("i32x4.sub"))),
  ...ssse3("07", "phsubsw", lanes.horizontal("i16x8.sub_sat_s"), halves(lanes.horizontal("i16x8.sub_sat_s"))),
  ...ssse3("08", "psignb", lanes.psign("i8x16")),
  ...ssse3("09", "psignw", lanes.psign("i16x8")),
  ...ssse3("0a", "psignd", lanes.psign("i32x4")),
  ...ssse3("0b", "pmulhrsw", lanes.pmulhrsw),
  ...absolute("1c", "pabsb", plainUnary("i8x16.abs")),
  ...absolute("1d", "pabsw", plainUnary("i16x8.abs")),
  ...absolute("1e", "pabsd", plainUnary("i32x4.abs")),
  op("np 0f 3a 0f /r", "palignr Pq,Qq,Lb", mmxImmediate(shift.palignrMmx), MMX_SSSE3),
  op("66 0f 3a 0f /r", "palignr Vx,Wx,Lb", packedImmediate(shift.palignr), SSSE3),

  sse41("28", "pmuldq", lanes.pmuldq),
  sse41("29", "pcmpeqq", plain("i64x2.eq")),
  sse41("2b", "packusdw", plain("i16x8.narrow_i32x4_u")),
  sse41("38", "pminsb", plain("i8x16.min_s")),
  sse41("39", "pminsd", plain("i32x4.min_s")),
  sse41("3a", "pminuw", plain("i16x8.min_u")),
  sse41("3b", "pminud", plain("i32x4.min_u")),
  sse41("3c", "pmaxsb", plain("i8x16.max_s")),
  sse41("3d", "pmaxsd", plain("i32x4.max_s")),
  sse41("3e", "pmaxuw", plain("i16x8.max_u")),
  sse41("3f", "pmaxud", plain("i32x4.max_u")),
  sse41("40", "pmulld", plain("i32x4.mul")),
  sse41("41", "phminposuw", byHelper("minimumPosition")),
  op("66 0f 3a 42 /r", "mpsadbw Vx,Wx,Lb", packedImmediate(lanes.mpsadbw), SSE41),
  op("66 0f 38 37 /r", "pcmpgtq Vx,Wx", packed(plain("i64x2.gt_s")), SSE42),

  ...extensions("2", "pmovsx", "s"),
  ...extensions("3", "pmovzx", "u"),
];

/** PMOVSXBW to PMOVSXDQ, and the same with zero extension. */
function extensions(row: string, name: string, sign: "s" | "u"): Opcode[] {
  const byte = `i16x8.extend_low_i8x16_${sign}` as const;
  const word = `i32x4.extend_low_i16x8_${sign}` as const;
  const dword = `i64x2.extend_low_i32x4_${sign}` as const;
  const line = (column: number, suffix: string, source: string, value: Semantics): Opcode =>
    op(`66 0f 38 ${row}${column} /r`, `${name}${suffix} Vx,W${source}`, value, SSE41);
  return [
    line(0, "bw", "q", lanes.extend(byte)),
    line(1, "bd", "d", lanes.extend(byte, word)),
    line(2, "bq", "w", lanes.extend(byte, word, dword)),
    line(3, "wd", "q", lanes.extend(word)),
    line(4, "wq", "d", lanes.extend(word, dword)),
    line(5, "dq", "q", lanes.extend(dword)),
  ];
}
