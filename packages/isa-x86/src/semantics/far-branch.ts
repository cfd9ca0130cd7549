// SPDX-License-Identifier: Apache-2.0
import type { Value } from "@isola/engine";
import { readFarPointer } from "./segment.js";
import type { Semantics } from "./semantics.js";
import type { X86Emitter } from "./x86-emitter.js";

/** Transfers of control that change CS: helpers do the whole work and leave RIP in the CPU record. */
function transfer(e: X86Emitter, helper: string, args: readonly Value[]): void {
  e.callFaulting(helper, [e.cpu, e.record, ...args]);
  e.reenter();
}

/** The far pointer in the instruction: the offset is the low half of the immediate, the selector the high one. */
function immediateFarPointer(e: X86Emitter, size: 16 | 32 | 64): { offset: Value; selector: Value } {
  const immediate = e.immediate();
  return {
    offset: e.extendU(e.zeroExtend(e.wrap(immediate), size === 16 ? 16 : 32)),
    selector: e.and(e.wrap(e.shrU(immediate, 32)), e.i32(0xffff)),
  };
}

export const jmpFar: Semantics = (e, _operands, form) => {
  const { offset, selector } = immediateFarPointer(e, form.operandSize);
  transfer(e, "farJump", [selector, offset]);
};

export const callFar: Semantics = (e, _operands, form) => {
  const { offset, selector } = immediateFarPointer(e, form.operandSize);
  transfer(e, "farCall", [selector, offset, e.i32(form.operandSize / 8)]);
};

export const jmpFarIndirect: Semantics = (e, _operands, form) => {
  const { offset, selector } = readFarPointer(e, form.operandSize);
  transfer(e, "farJump", [selector, offset]);
};

export const callFarIndirect: Semantics = (e, _operands, form) => {
  const { offset, selector } = readFarPointer(e, form.operandSize);
  transfer(e, "farCall", [selector, offset, e.i32(form.operandSize / 8)]);
};

/** RETF, with or without a count of bytes to be dropped. */
export const retFar: Semantics = (e, operands, form) => {
  const drop = operands.length === 0 ? e.i32(0) : e.and(e.wrap(e.immediate()), e.i32(0xffff));
  transfer(e, "farReturn", [e.i32(form.operandSize / 8), drop]);
};

export const iret: Semantics = (e, _operands, form) => transfer(e, "interruptReturn", [e.i32(form.operandSize / 8)]);

export const syscall: Semantics = (e) => transfer(e, "systemCall", []);
export const sysret: Semantics = (e, _operands, form) => transfer(e, "systemReturn", [e.i32(form.operandSize / 8)]);
export const sysenter: Semantics = (e) => transfer(e, "systemEnter", []);
export const sysexit: Semantics = (e, _operands, form) => transfer(e, "systemExit", [e.i32(form.operandSize / 8)]);
