// SPDX-License-Identifier: Apache-2.0
import type { Value } from "@isola/engine";
import type { Form } from "../table/form.js";
import { operandAt, truncate } from "./integer-operand.js";
import type { Semantics } from "./semantics.js";
import { Gpr, integerLoad, integerStore, Vector, type X86Emitter } from "./x86-emitter.js";

/** Jcc: the low four bits of the opcode are the condition. */
export const jcc: Semantics = (e, _operands, form) => e.branch(e.flags.condition(form.opcode.encoding.opcode & 15));

export const jmp: Semantics = (e) => e.jump();

/** Direct near CALL. */
export const call: Semantics = (e, _operands, form) => {
  e.pushStack(form.operandSize, truncate(e, e.nextRip(), form.operandSize));
  e.jump();
};

export const jmpIndirect: Semantics = (e, operands, form) => {
  e.jumpTo(checkedTarget(e, form, e.read(operandAt(operands, 0))));
};

/**
 * Indirect near CALL. In 64-bit mode the return address is written before the target is checked: a target that is not
 * canonical leaves it behind, below an unchanged RSP, as real CPUs do.
 */
export const callIndirect: Semantics = (e, operands, form) => {
  const target = e.read(operandAt(operands, 0));
  const next = truncate(e, e.nextRip(), form.operandSize);
  if (form.model === "long") {
    const bytes = form.operandSize / 8;
    const top = e.sub(e.readGpr(Gpr.RSP, 64), e.i64(bytes));
    e.storeGuest(integerStore(form.operandSize), bytes, top, next, true);
    const rip = checkedTarget(e, form, target);
    e.writeGpr(Gpr.RSP, 64, top);
    e.jumpTo(rip);
  } else {
    const rip = checkedTarget(e, form, target);
    e.pushStack(form.operandSize, next);
    e.jumpTo(rip);
  }
};

/** RET, and RET imm16, which releases that many bytes of arguments too. */
export const ret: Semantics = (e, operands, form) => {
  const target = checkedTarget(e, form, e.peekStack(form.operandSize));
  const bytes = form.operandSize / 8;
  if (operands.length === 0) e.adjustStack(bytes);
  else {
    const released = e.add(e.wrap(e.immediate()), e.i32(bytes));
    e.adjustStack(released);
  }
  e.jumpTo(target);
};

/** An indirect target of the operand size as RIP (i64); #GP(0) if it is not canonical or beyond the limit of CS. */
function checkedTarget(e: X86Emitter, form: Form, target: Value): Value {
  const rip = e.extendU(target);
  if (form.model === "long") {
    if (form.operandSize === 64) e.raiseIf(e.ne(e.shrS(e.shl(rip, 16), 16), rip), Vector.GP, 0);
  } else if (form.model === "segmented") e.callFaulting("checkCodeLimit", [e.cpu, e.record, e.wrap(rip)]);
  return rip;
}

/** LOOP, LOOPE, LOOPNE: decrement the count register of the address size, jump while it is not zero. */
function loop(condition: ((e: X86Emitter) => Value) | null): Semantics {
  return (e, _operands, form) => {
    const size = form.opcode.attributes.addressSize ?? 32;
    const old = e.readGpr(Gpr.RCX, size);
    const count = e.zeroExtend(e.sub(old, e.constantLike(old, 1)), size);
    e.writeGpr(Gpr.RCX, size, count);
    const again = e.eqz(e.eqz(count));
    e.branch(condition === null ? again : e.and(again, condition(e)));
  };
}

export const loopAlways: Semantics = loop(null);
export const loopEqual: Semantics = loop((e) => e.flags.zero());
export const loopNotEqual: Semantics = loop((e) => e.eqz(e.flags.zero()));

/** JCXZ, JECXZ, JRCXZ. */
export const jumpIfCountZero: Semantics = (e, _operands, form) => {
  e.branch(e.eqz(e.readGpr(Gpr.RCX, form.opcode.attributes.addressSize ?? 32)));
};

/** Kinds of software interrupts for the helper. */
const enum Software {
  INT = 0,
  INT3 = 1,
  INTO = 2,
  INT1 = 3,
}

function interrupt(e: X86Emitter, vector: Value, kind: Software): void {
  e.callFaulting("softwareInterrupt", [e.cpu, e.record, vector, e.i32(kind)]);
  e.reenter();
}

export const int: Semantics = (e) => interrupt(e, e.wrap(e.immediate()), Software.INT);
export const int3: Semantics = (e) => interrupt(e, e.i32(Vector.BP), Software.INT3);
export const int1: Semantics = (e) => interrupt(e, e.i32(Vector.DB), Software.INT1);

/** INTO: an interrupt if OF is set. */
export const into: Semantics = (e) => {
  e.if(e.flags.overflow(), () => interrupt(e, e.i32(Vector.OF), Software.INTO));
};

/** UD0, UD1, UD2. */
export const undefinedInstruction: Semantics = (e) => e.raise(Vector.UD);

/** BOUND: #BR unless the index is within the signed bounds in memory. The upper one is read only if the lower one holds. */
export const bound: Semantics = (e, operands, form) => {
  const size = form.operandSize === 16 ? 16 : 32;
  const load = integerLoad(size);
  const linear = e.linearAddress();
  const index = e.signExtend(e.wrap(e.read(operandAt(operands, 0))), size);
  const lower = e.signExtend(e.loadGuest(load, size / 8, linear), size);
  e.raiseIf(e.ltS(index, lower), Vector.BR);
  const upper = e.signExtend(e.loadGuest(load, size / 8, e.zeroExtend(e.add(linear, e.i64(size / 8)), 32)), size);
  e.raiseIf(e.gtS(index, upper), Vector.BR);
};
