// SPDX-License-Identifier: Apache-2.0
import type { Value } from "@isola/engine";
import type { Operand } from "../table/operand.js";
import type { Size } from "./flags.js";
import { operandAt, readAs, sizeOf } from "./integer-operand.js";
import type { Semantics } from "./semantics.js";
import type { X86Emitter } from "./x86-emitter.js";

/** `dst = compute(dst, src)` at the size of `dst`; `compute` sets the flags. */
function binary(compute: (e: X86Emitter, size: Size, a: Value, b: Value) => Value): Semantics {
  return (e, operands) => {
    const dst = operandAt(operands, 0);
    const size = sizeOf(dst);
    const b = readAs(e, operandAt(operands, 1), size);
    e.modify(dst, (a) => compute(e, size, a, b));
  };
}

/** The same with CF as third input. It is read first, since a locked `modify` may call back more than once. */
function binaryWithCarry(compute: (e: X86Emitter, size: Size, a: Value, b: Value, carry: Value) => Value): Semantics {
  return (e, operands) => {
    const dst = operandAt(operands, 0);
    const size = sizeOf(dst);
    const b = readAs(e, operandAt(operands, 1), size);
    const carry = size === 64 ? e.extendU(e.flags.carry()) : e.flags.carry();
    e.modify(dst, (a) => compute(e, size, a, b, carry));
  };
}

function logic(operation: "and" | "or" | "xor"): Semantics {
  return binary((e, size, a, b) => {
    const result = e[operation](a, b);
    e.flags.logic(size, result);
    return result;
  });
}

export const add: Semantics = binary((e, size, a, b) => {
  const result = e.zeroExtend(e.add(a, b), size);
  e.flags.add(size, a, b, result);
  return result;
});

export const adc: Semantics = binaryWithCarry((e, size, a, b, carry) => {
  const result = e.zeroExtend(e.add(e.add(a, b), carry), size);
  e.flags.addWithCarry(size, a, b, result);
  return result;
});

export const sub: Semantics = binary((e, size, a, b) => {
  const result = e.zeroExtend(e.sub(a, b), size);
  e.flags.sub(size, a, b, result);
  return result;
});

export const sbb: Semantics = binaryWithCarry((e, size, a, b, carry) => {
  const result = e.zeroExtend(e.sub(e.sub(a, b), carry), size);
  e.flags.subWithBorrow(size, a, b, result);
  return result;
});

export const and: Semantics = logic("and");
export const or: Semantics = logic("or");
export const xor: Semantics = logic("xor");

/** CMP: the flags of a subtraction. */
export const cmp: Semantics = (e, operands) => {
  const left = operandAt(operands, 0);
  const size = sizeOf(left);
  const b = readAs(e, operandAt(operands, 1), size);
  const a = e.read(left);
  e.flags.sub(size, a, b, e.zeroExtend(e.sub(a, b), size));
};

/** TEST: the flags of an AND. */
export const test: Semantics = (e, operands) => {
  const left = operandAt(operands, 0);
  const size = sizeOf(left);
  const b = readAs(e, operandAt(operands, 1), size);
  e.flags.logic(size, e.and(e.read(left), b));
};

export const inc: Semantics = (e, operands) => step(e, operandAt(operands, 0), 1);
export const dec: Semantics = (e, operands) => step(e, operandAt(operands, 0), -1);

/** INC and DEC keep CF. */
function step(e: X86Emitter, dst: Operand, by: 1 | -1): void {
  const size = sizeOf(dst);
  e.modify(dst, (a) => {
    const result = e.zeroExtend(e.add(a, e.constantLike(a, by)), size);
    if (by === 1) e.flags.increment(size, a, result);
    else e.flags.decrement(size, a, result);
    return result;
  });
}

export const neg: Semantics = (e, operands) => {
  const dst = operandAt(operands, 0);
  const size = sizeOf(dst);
  e.modify(dst, (a) => {
    const result = e.zeroExtend(e.neg(a), size);
    e.flags.sub(size, e.constantLike(a, 0), a, result);
    return result;
  });
};

/** NOT changes no flags. */
export const not: Semantics = (e, operands) => {
  const dst = operandAt(operands, 0);
  e.modify(dst, (a) => e.zeroExtend(e.not(a), sizeOf(dst)));
};

/** ADCX: addition with carry in and out through CF alone. */
export const adcx: Semantics = (e, operands) => {
  const [result, carry] = addChain(e, operands, e.flags.carry());
  e.flags.setCarry(carry);
  e.write(operandAt(operands, 0), result);
};

/** ADOX: the same through OF alone. */
export const adox: Semantics = (e, operands) => {
  const [result, carry] = addChain(e, operands, e.flags.overflow());
  e.flags.setCarryOverflow(e.flags.carry(), carry);
  e.write(operandAt(operands, 0), result);
};

function addChain(e: X86Emitter, operands: readonly Operand[], carryIn: Value): [result: Value, carry: Value] {
  const b = e.read(operandAt(operands, 1));
  const a = e.read(operandAt(operands, 0));
  const wide = a.type === "i64";
  const sum = e.add(a, b);
  const result = e.add(sum, wide ? e.extendU(carryIn) : carryIn);
  // At most one of the two additions wraps.
  return [result, e.or(e.ltU(sum, a), e.ltU(result, sum))];
}
