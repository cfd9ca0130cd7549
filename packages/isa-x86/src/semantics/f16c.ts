// SPDX-License-Identifier: Apache-2.0
// F16C: conversions between binary16 and binary32.
import type { Semantics } from "./semantics.js";
import { isWide, loadScratch, readHalves, readLow, storeScratch, writeHalves, writeLow } from "./vector-operand.js";

/** VCVTPH2PS */
export const halfToSingle: Semantics = (e, [dst, src]) => {
  const pieces = isWide(dst!) ? 2 : 1;
  storeScratch(e, 1, [readLow(e, src!)]);
  e.callFaulting("convertF16ToF32", [e.cpu, e.i32(pieces * 4)]);
  writeHalves(e, dst!, loadScratch(e, 0, pieces));
};

/** VCVTPS2PH: the immediate tells how to round, as for ROUNDPS. */
export const singleToHalf: Semantics = (e, [dst, src, imm]) => {
  const source = readHalves(e, src!);
  // A fault of the store comes before the exceptions of the conversion.
  if (dst!.kind === "mem")
    e.callVoidStatus("checkWrite", [e.cpu, e.record, e.linearAddress(), e.i32(dst!.size / 8)]);
  storeScratch(e, 1, source);
  e.callFaulting("convertF32ToF16", [e.cpu, e.read(imm!), e.i32(source.length * 4)]);
  writeLow(e, dst!, e.readScratch(0, 0));
};
