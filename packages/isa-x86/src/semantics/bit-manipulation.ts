// SPDX-License-Identifier: Apache-2.0
import type { Value } from "@isola/engine";
import type { Operand } from "../table/operand.js";
import { operandAt, sizeOf, truncate } from "./integer-operand.js";
import type { Semantics } from "./semantics.js";
import type { X86Emitter } from "./x86-emitter.js";

/** PDEP and PEXT. */
export const pdep: Semantics = (e, operands) => bitHelper(e, "depositBits", operands);
export const pext: Semantics = (e, operands) => bitHelper(e, "extractBits", operands);

function bitHelper(e: X86Emitter, helper: string, operands: readonly Operand[]): void {
  const dst = operandAt(operands, 0);
  const mask = e.extendU(e.read(operandAt(operands, 2)));
  const value = e.extendU(e.read(operandAt(operands, 1)));
  e.write(dst, truncate(e, e.call(helper, [value, mask], "i64"), sizeOf(dst)));
}

/** BLSR, BLSMSK, BLSI: the lowest set bit of the source cleared, with all bits below it, or alone. */
export const blsr: Semantics = lowestBit((e, a) => [e.and(a, e.sub(a, e.constantLike(a, 1))), e.eqz(a)]);
export const blsmsk: Semantics = lowestBit((e, a) => [e.xor(a, e.sub(a, e.constantLike(a, 1))), e.eqz(a)]);
export const blsi: Semantics = lowestBit((e, a) => [e.and(a, e.neg(a)), e.eqz(e.eqz(a))]);

function lowestBit(compute: (e: X86Emitter, a: Value) => [result: Value, carry: Value]): Semantics {
  return (e, operands) => {
    const dst = operandAt(operands, 0);
    const [result, carry] = compute(e, e.read(operandAt(operands, 1)));
    e.flags.explicit(sizeOf(dst), result, carry, e.i32(0));
    e.write(dst, result);
  };
}

export const andn: Semantics = (e, operands) => {
  const dst = operandAt(operands, 0);
  const b = e.read(operandAt(operands, 2));
  const result = e.and(e.not(e.read(operandAt(operands, 1))), b);
  e.flags.logic(sizeOf(dst), result);
  e.write(dst, result);
};

/** `value` with only the low `count` (i32, 0 to 255) bits kept. */
function keepLow(e: X86Emitter, value: Value, count: Value, size: number): Value {
  const mask = e.not(e.shl(e.constantLike(value, -1), count));
  return e.select(e.ltU(count, e.i32(size)), e.and(value, mask), value);
}

/** BEXTR: bits [start, start + length) of the source. */
export const bextr: Semantics = (e, operands) => {
  const dst = operandAt(operands, 0);
  const size = sizeOf(dst);
  const src = e.read(operandAt(operands, 1));
  const control = e.wrap(e.read(operandAt(operands, 2)));
  const start = e.and(control, e.i32(0xff));
  const length = e.and(e.shrU(control, 8), e.i32(0xff));
  const shifted = e.select(e.ltU(start, e.i32(size)), e.shrU(src, start), e.constantLike(src, 0));
  const result = keepLow(e, shifted, length, size);
  e.flags.explicit(size, result, e.i32(0), e.i32(0));
  e.write(dst, result);
};

/** BZHI: bits from the given index up cleared. */
export const bzhi: Semantics = (e, operands) => {
  const dst = operandAt(operands, 0);
  const size = sizeOf(dst);
  const src = e.read(operandAt(operands, 1));
  const index = e.and(e.wrap(e.read(operandAt(operands, 2))), e.i32(0xff));
  const result = keepLow(e, src, index, size);
  e.flags.explicit(size, result, e.geU(index, e.i32(size)), e.i32(0));
  e.write(dst, result);
};
