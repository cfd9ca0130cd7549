// SPDX-License-Identifier: Apache-2.0
// Single lanes: PINSRx, PEXTRx, INSERTPS, EXTRACTPS, and the masks of sign bits.
import type { Value } from "@isola/engine";
import type { LaneOpName, PlainOpName } from "@isola/wasm";
import type { Operand } from "../table/operand.js";
import { checkPendingX87, enterMmx, IOTA } from "./sse-operands.js";
import { insertps as insertLane } from "./sse-shuffle.js";
import type { Semantics } from "./semantics.js";
import { readHalves, rolesOf, writeLow } from "./vector-operand.js";
import type { X86Emitter } from "./x86-emitter.js";

type Lane = "i8x16" | "i16x8" | "i32x4" | "i64x2";

const COUNT: { readonly [K in Lane]: number } = { i8x16: 16, i16x8: 8, i32x4: 4, i64x2: 2 };
const EXTRACT: { readonly [K in Lane]: LaneOpName } = {
  i8x16: "i8x16.extract_lane_u",
  i16x8: "i16x8.extract_lane_u",
  i32x4: "i32x4.extract_lane",
  i64x2: "i64x2.extract_lane",
};

/** Lane `imm` (modulo `count`) of a vector, zero-extended. */
function extract(e: X86Emitter, lane: Lane, count: number, vector: Value, imm: Value): Value {
  if (imm.constant !== null) return e.lane(EXTRACT[lane], Number(imm.constant) & (count - 1), vector);
  const start = e.mul(e.and(imm, e.i32(count - 1)), e.i32(16 / COUNT[lane]));
  const indices = e.op("i8x16.add", e.v128(IOTA), e.op("i8x16.splat", start));
  return e.lane(EXTRACT[lane], 0, e.op("i8x16.swizzle", vector, indices));
}

/** `vector` with lane `imm` (modulo `count`) replaced. */
function insert(e: X86Emitter, lane: Lane, count: number, vector: Value, value: Value, imm: Value): Value {
  if (imm.constant !== null) return e.lane(`${lane}.replace_lane`, Number(imm.constant) & (count - 1), vector, value);
  const width = 16 / COUNT[lane];
  const lanes = e.v128(IOTA.map((byte) => Math.floor(byte / width)));
  const chosen = e.op("i8x16.eq", lanes, e.op("i8x16.splat", e.and(imm, e.i32(count - 1))));
  return e.op("v128.bitselect", e.op(`${lane}.splat`, value), vector, chosen);
}

function laneOf(operand: Operand): Lane {
  const size = operand.kind === "mem" || operand.kind === "gpr" ? operand.size : 0;
  return size === 64 ? "i64x2" : "i32x4";
}

/** PEXTRB, PEXTRW to a register (zero-extended) or memory of the lane's size. */
export function pextr(lane: "i8x16" | "i16x8"): Semantics {
  return (e, [dst, src, imm]) => e.write(dst!, extract(e, lane, COUNT[lane], e.readVector(src!), e.read(imm!)));
}

/** PEXTRD, PEXTRQ, EXTRACTPS: the size of the destination decides. */
export const pextrd: Semantics = (e, [dst, src, imm]) => {
  const lane = laneOf(dst!);
  e.write(dst!, extract(e, lane, COUNT[lane], e.readVector(src!), e.read(imm!)));
};

/** PINSRB, PINSRW: from the low bits of a register or from memory of the lane's size. */
export function pinsr(lane: "i8x16" | "i16x8"): Semantics {
  return (e, operands) => {
    const { dst, a, b, rest } = rolesOf(operands);
    const value = e.read(b);
    writeLow(e, dst, insert(e, lane, COUNT[lane], e.readVector(a), value, e.read(rest!)));
  };
}

/** PINSRD, PINSRQ: the size of the source decides. */
export const pinsrd: Semantics = (e, operands) => {
  const { dst, a, b, rest } = rolesOf(operands);
  const lane = laneOf(b);
  const value = e.read(b);
  writeLow(e, dst, insert(e, lane, COUNT[lane], e.readVector(a), value, e.read(rest!)));
};

/** PINSRW mm */
export const pinsrwMmx: Semantics = (e, [dst, src, imm]) => {
  checkPendingX87(e);
  const value = e.read(src!);
  const result = insert(e, "i16x8", 4, e.readVector(dst!), value, e.read(imm!));
  enterMmx(e);
  e.writeMmx(dst!, result);
};

/** PEXTRW r32, mm */
export const pextrwMmx: Semantics = (e, [dst, src, imm]) => {
  checkPendingX87(e);
  const value = extract(e, "i16x8", 4, e.readVector(src!), e.read(imm!));
  enterMmx(e);
  e.write(dst!, value);
};

/** INSERTPS */
export const insertps: Semantics = (e, operands) => {
  const { dst, a, b, rest } = rolesOf(operands);
  const source = e.readVector(b);
  writeLow(e, dst, insertLane(e, e.readVector(a), source, e.read(rest!), b.kind === "mem"));
};

/** PMOVMSKB, MOVMSKPS, MOVMSKPD: the sign bits of all lanes, zero-extended. */
export function signMask(name: Extract<PlainOpName, `${string}.bitmask`>): Semantics {
  const lanes = COUNT[name.slice(0, name.indexOf(".")) as Lane];
  return (e, [dst, src]) => {
    const [low, high] = readHalves(e, src!).map((half) => e.op(name, half));
    e.write(dst!, high === undefined ? low! : e.or(low!, e.shl(high, lanes)));
  };
}

/** PMOVMSKB r32, mm */
export const pmovmskbMmx: Semantics = (e, [dst, src]) => {
  checkPendingX87(e);
  const mask = e.and(e.op("i8x16.bitmask", e.readVector(src!)), e.i32(0xff));
  enterMmx(e);
  e.write(dst!, mask);
};
