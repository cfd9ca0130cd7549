// SPDX-License-Identifier: Apache-2.0
// AES-NI, PCLMULQDQ and SHA-NI, and other instructions that are one helper on vectors.
import type { Value } from "@isola/engine";
import { type BinaryLanes, bytes, type ImmediateLanes } from "./sse-operands.js";
import { storeScratch } from "./vector-operand.js";
import type { X86Emitter } from "./x86-emitter.js";

function callHelper(e: X86Emitter, name: string, a: Value, b: Value, args: readonly Value[]): Value {
  storeScratch(e, 0, [a]);
  storeScratch(e, 1, [b]);
  e.callVoid(name, [e.cpu, ...args]);
  return e.readScratch(0, 0);
}

/** Lanes that a helper computes: `name(cpu)` on slots 0 and 1. */
export function byHelper(name: string): BinaryLanes {
  return (e, a, b) => callHelper(e, name, a, b, []);
}

/** The same with the immediate: `name(cpu, imm)`. */
export function byHelperImmediate(name: string): ImmediateLanes {
  return (e, a, b, imm) => callHelper(e, name, a, b, [imm]);
}

/** SHA1NEXTE: adds A of four rounds ago, rotated, to the first message word. */
export const sha1nexte: BinaryLanes = (e, a, b) => {
  const rotated = e.rotl(e.lane("i32x4.extract_lane", 3, a), 30);
  return e.op("i32x4.add", b, e.lane("i32x4.replace_lane", 3, e.v128(bytes(0)), rotated));
};

/** SHA1MSG1: each word exclusive-or the one two places later in the message. */
export const sha1msg1: BinaryLanes = (e, a, b) =>
  e.op("v128.xor", a, e.shuffle(b, a, [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]));

/** SHA256RNDS2: XMM0 holds two message words with their constants. */
export const sha256rnds2: BinaryLanes = (e, a, b) => {
  e.writeScratch(2, 0, e.readVectorRegister(0, 0));
  return callHelper(e, "sha256Rounds", a, b, []);
};
