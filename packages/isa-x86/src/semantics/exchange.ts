// SPDX-License-Identifier: Apache-2.0
import type { Value } from "@isola/engine";
import { operandAt, sizeOf } from "./integer-operand.js";
import type { Semantics } from "./semantics.js";
import { Gpr, type X86Emitter } from "./x86-emitter.js";
import type { Operand } from "../table/operand.js";

/** XCHG; with memory it locks by itself. */
export const xchg: Semantics = (e, operands) => {
  const dst = operandAt(operands, 0);
  const src = operandAt(operands, 1);
  const b = e.read(src);
  const a = replace(e, dst, () => b);
  e.write(src, a);
};

/** XADD: the source gets the old destination; the sum is written last, for XADD of a register with itself. */
export const xadd: Semantics = (e, operands) => {
  const dst = operandAt(operands, 0);
  const src = operandAt(operands, 1);
  const size = sizeOf(dst);
  const b = e.read(src);
  const sum = (a: Value): Value => e.zeroExtend(e.add(a, b), size);
  if (dst.kind === "mem") {
    const a = replace(e, dst, sum);
    e.flags.add(size, a, b, sum(a));
    e.write(src, a);
  } else {
    const a = e.read(dst);
    const result = sum(a);
    e.flags.add(size, a, b, result);
    e.write(src, a);
    e.write(dst, result);
  }
};

/**
 * CMPXCHG. A memory destination is written in any case: with its old value if the comparison fails. Of two registers
 * only one is written, so that the other keeps bits 32-63.
 */
export const cmpxchg: Semantics = (e, operands) => {
  const dst = operandAt(operands, 0);
  const size = sizeOf(dst);
  const accumulator = e.readGpr(Gpr.RAX, size);
  const b = e.read(operandAt(operands, 1));
  const inMemory = dst.kind === "mem";
  const a = inMemory ? replace(e, dst, (old) => e.select(e.eq(old, accumulator), b, old)) : e.read(dst);
  e.flags.sub(size, accumulator, a, e.zeroExtend(e.sub(accumulator, a), size));
  e.if(e.ne(a, accumulator), () => e.writeGpr(Gpr.RAX, size, a), inMemory ? undefined : () => e.write(dst, b));
};

/** CMPXCHG8B: EDX:EAX with memory, ECX:EBX is the new value. Only ZF changes. */
export const cmpxchg8b: Semantics = (e, operands) => {
  const expected = pair(e, Gpr.RDX, Gpr.RAX);
  const desired = pair(e, Gpr.RCX, Gpr.RBX);
  const old = replace(e, operandAt(operands, 0), (value) => e.select(e.eq(value, expected), desired, value));
  const equal = e.eq(old, expected);
  e.flags.setZero(equal);
  e.if(e.eqz(equal), () => {
    e.writeGpr(Gpr.RAX, 32, e.wrap(old));
    e.writeGpr(Gpr.RDX, 32, e.wrap(e.shrU(old, 32)));
  });
};

function pair(e: X86Emitter, high: Gpr, low: Gpr): Value {
  return e.or(e.shl(e.extendU(e.readGpr(high, 32)), 32), e.extendU(e.readGpr(low, 32)));
}

/** CMPXCHG16B: the same with 128 bits, aligned. */
export const cmpxchg16b: Semantics = (e) => {
  const linear = e.linearAddress();
  e.requireAligned(linear, 16);
  e.callFaultingValue("checkWrite", [e.cpu, e.record, linear, e.i32(16)], "i32");
  const old = e.loadGuest("v128.load", 16, linear);
  const low = e.lane("i64x2.extract_lane", 0, old);
  const high = e.lane("i64x2.extract_lane", 1, old);
  const equal = e.and(e.eq(low, e.readGpr(Gpr.RAX, 64)), e.eq(high, e.readGpr(Gpr.RDX, 64)));
  const withLow = e.lane("i64x2.replace_lane", 0, old, e.readGpr(Gpr.RBX, 64));
  const desired = e.lane("i64x2.replace_lane", 1, withLow, e.readGpr(Gpr.RCX, 64));
  e.storeGuest("v128.store", 16, linear, e.select(equal, desired, old));
  e.flags.setZero(equal);
  e.if(e.eqz(equal), () => {
    e.writeGpr(Gpr.RAX, 64, low);
    e.writeGpr(Gpr.RDX, 64, high);
  });
};

/** `operand = change(operand)`; returns the old value. `change` must not change state: it may run more than once. */
function replace(e: X86Emitter, operand: Operand, change: (old: Value) => Value): Value {
  let before: Value | undefined;
  e.modify(operand, (old) => {
    before = old;
    return change(old);
  });
  if (before === undefined) throw new Error("modify did not call back");
  return before;
}
