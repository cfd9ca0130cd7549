// SPDX-License-Identifier: Apache-2.0
import { operandAt, readAs, truncate } from "./integer-operand.js";
import type { Semantics } from "./semantics.js";
import { Gpr, integerLoad } from "./x86-emitter.js";

/** PUSH: the operand is read before the stack pointer changes, so PUSH rSP pushes the old value. */
export const push: Semantics = (e, operands, form) => {
  e.pushStack(form.operandSize, readAs(e, operandAt(operands, 0), form.operandSize));
};

/** POP: the destination is written after the increment, so POP rSP keeps the value popped. */
export const pop: Semantics = (e, operands, form) => {
  const dst = operandAt(operands, 0);
  const value = e.peekStack(form.operandSize);
  if (dst.kind === "mem") {
    // The store may fault. An address based on rSP was decoded to count from the incremented one.
    e.write(dst, value);
    e.adjustStack(form.operandSize / 8);
  } else {
    e.adjustStack(form.operandSize / 8);
    e.write(dst, value);
  }
};

/** PUSHA and POPA: eight registers at once or none. */
export const pusha: Semantics = (e, _operands, form) => {
  e.callFaulting("pushAll", [e.cpu, e.record, e.i32(form.operandSize / 8)]);
};

export const popa: Semantics = (e, _operands, form) => {
  e.callFaulting("popAll", [e.cpu, e.record, e.i32(form.operandSize / 8)]);
};

export const pushf: Semantics = (e, _operands, form) => {
  const bytes = e.i32(form.operandSize / 8);
  const flags = e.callFaultingValue("flagsToPush", [e.cpu, bytes], "i32");
  e.pushStack(form.operandSize, truncate(e, flags, form.operandSize));
};

/** POPF may change what decides how code runs (TF, AC, IF), so the next instruction is looked up afresh. */
export const popf: Semantics = (e, _operands, form) => {
  const bytes = form.operandSize / 8;
  const value = e.peekStack(form.operandSize);
  const next = e.nextRip();
  e.callFaulting("popFlags", [e.cpu, e.wrap(value), e.i32(bytes)]);
  e.adjustStack(bytes);
  e.storeState("i64.store", "rip", next);
  e.reenter();
};

/** ENTER: the nesting level is the high half of the immediate. */
export const enter: Semantics = (e, _operands, form) => {
  const immediate = e.immediate();
  const size = e.wrap(immediate);
  const level = e.wrap(e.shrU(immediate, 32));
  e.callFaulting("enterFrame", [e.cpu, e.record, e.i32(form.operandSize / 8), size, level]);
};

export const leave: Semantics = (e, _operands, form) => {
  const size = form.operandSize;
  const bytes = size / 8;
  if (form.model === "segmented") {
    e.callFaulting("leaveFrame", [e.cpu, e.record, e.i32(bytes)]);
    return;
  }
  const frame = form.model === "long" ? e.readGpr(Gpr.RBP, 64) : e.extendU(e.readGpr(Gpr.RBP, 32));
  const value = e.loadGuest(integerLoad(size), bytes, frame, true);
  const top = e.add(frame, e.i64(bytes));
  e.writeGpr(Gpr.RSP, 64, form.model === "long" ? top : e.zeroExtend(top, 32));
  e.writeGpr(Gpr.RBP, size, value);
};
