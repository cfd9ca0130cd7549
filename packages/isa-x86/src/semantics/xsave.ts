// SPDX-License-Identifier: Apache-2.0
// The XSAVE feature set: whole-state helpers, which read and write vector registers in the CPU record.
import type { Value } from "@isola/engine";
import { resume } from "./segment.js";
import type { Semantics } from "./semantics.js";
import { Gpr, type X86Emitter } from "./x86-emitter.js";

/** Which instruction saves, as the helper knows it. */
export enum SaveKind {
  Xsave = 0,
  Xsaveopt = 1,
  Xsavec = 2,
}

/** EDX:EAX */
function mask(e: X86Emitter): Value {
  return e.or(e.shl(e.extendU(e.readGpr(Gpr.RDX, 32)), 32), e.extendU(e.readGpr(Gpr.RAX, 32)));
}

/** i32: 1 in 64-bit mode. */
function isWideMode(e: X86Emitter): Value {
  return e.eq(e.and(e.loadState("i32.load", "modeKey"), e.i32(3)), e.i32(2));
}

function longPointers(e: X86Emitter): Value {
  return e.i32(e.form.operandSize === 64 ? 1 : 0);
}

export function saveState(kind: SaveKind): Semantics {
  return (e) =>
    e.callFaulting("xsave", [e.cpu, e.record, e.linearAddress(), mask(e), e.i32(kind), longPointers(e), isWideMode(e)]);
}

export const restoreState: Semantics = (e) =>
  e.callFaulting("xrstor", [e.cpu, e.record, e.linearAddress(), mask(e), longPointers(e), isWideMode(e)]);

export const xgetbv: Semantics = (e) => {
  const index = e.readGpr(Gpr.RCX, 32);
  const value = e.callFaultingValue("xgetbv", [e.cpu, index, isWideMode(e)], "i64");
  e.writeGpr(Gpr.RAX, 32, e.wrap(value));
  e.writeGpr(Gpr.RDX, 32, e.wrap(e.shrU(value, 32)));
};

export const xsetbv: Semantics = (e) => {
  e.callFaulting("xsetbv", [e.cpu, e.readGpr(Gpr.RCX, 32), mask(e)]);
  resume(e);
};
