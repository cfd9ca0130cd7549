// SPDX-License-Identifier: Apache-2.0
// F16C: conversions between binary16 and binary32.
import type { Value } from "@isola/engine";
import type { Operand } from "../table/operand.js";
import type { Semantics } from "./semantics.js";
import { lowQuad } from "./sse-operands.js";
import { isWide, loadScratch, readHalves, readLow, storeScratch, writeHalves, writeLow } from "./vector-operand.js";
import type { X86Emitter } from "./x86-emitter.js";

/** VCVTPH2PS */
export const halfToSingle: Semantics = (e, [dst, src]) => {
  const pieces = isWide(dst!) ? 2 : 1;
  storeScratch(e, 1, [readHalfPrecision(e, src!)]);
  e.callFaulting("convertF16ToF32", [e.cpu, e.i32(pieces * 4)]);
  writeHalves(e, dst!, loadScratch(e, 0, pieces));
};

/** Four or eight binary16. Alignment checks do not apply to the 64-bit operand. */
function readHalfPrecision(e: X86Emitter, src: Operand): Value {
  if (src.kind !== "mem" || src.size === 128) return readLow(e, src);
  const value = e.callFaultingValue("readElement", [e.cpu, e.record, e.linearAddress(), e.i32(8)], "i64");
  return e.op("i64x2.splat", value);
}

/**
 * VCVTPS2PH: the immediate tells how to round, as for ROUNDPS. Processors convert before they store: exceptions of the
 * conversion come first, and its flags stay in MXCSR if the store faults.
 */
export const singleToHalf: Semantics = (e, [dst, src, imm]) => {
  const source = readHalves(e, src!);
  storeScratch(e, 1, source);
  e.callFaulting("convertF32ToF16", [e.cpu, e.read(imm!), e.i32(source.length * 4)]);
  const result = e.readScratch(0, 0);
  if (dst!.kind !== "mem" || dst!.size === 128) return writeLow(e, dst!, result);
  e.callFaulting("writeElement", [e.cpu, e.record, e.linearAddress(), e.i32(8), lowQuad(e, result)]);
};
