// SPDX-License-Identifier: Apache-2.0
import type { Value } from "@isola/engine";
import type { Operand } from "../table/operand.js";
import type { Size } from "./flags.js";
import { operandAt, signBit, sizeOf, truncate } from "./integer-operand.js";
import type { Semantics } from "./semantics.js";
import type { X86Emitter } from "./x86-emitter.js";

/** Result of a shift or rotate by a count that is not zero, with the flags it sets. */
interface Shifted {
  readonly result: Value;
  /** CF and OF, i32 0 or 1. */
  readonly carry: Value;
  readonly overflow: Value;
}

/** The count operand (an imm8, CL or 1) as i32, masked to 5 bits, or 6 for 64-bit operations (SDM 2, SAL). */
function maskedCount(e: X86Emitter, operand: Operand, size: Size): Value {
  const count = operand.kind === "imm" ? e.wrap(e.immediate()) : e.read(operand);
  return operand.kind === "one" ? count : e.and(count, e.i32(size === 64 ? 63 : 31));
}

/** Bit `index` (i32) of `value`, as i32. */
function bitAt(e: X86Emitter, value: Value, index: Value | number): Value {
  return e.and(e.wrap(e.shrU(value, index)), e.i32(1));
}

/** OF as SHR, SAR, ROR, RCR and SHRD leave it: the two top bits of the result differ. */
function topBitsDiffer(e: X86Emitter, result: Value, size: Size): Value {
  return e.xor(signBit(e, result, size), bitAt(e, result, size - 2));
}

type Operation = (e: X86Emitter, size: Size, a: Value, count: Value) => Shifted;

/**
 * A shift instruction. A count of zero changes no flags, but the destination is still written.
 * @param all whether ZF, SF and PF follow the result too: shifts, as opposed to rotates
 */
function shift(operation: Operation, all: boolean): Semantics {
  return (e, operands) => {
    const dst = operandAt(operands, 0);
    const size = sizeOf(dst);
    const countOperand = operandAt(operands, 1);
    const count = maskedCount(e, countOperand, size);
    e.modify(dst, (a) => {
      const { result, carry, overflow } = operation(e, size, a, count);
      const setFlags = (): void => {
        if (all) e.flags.explicit(size, result, carry, overflow);
        else e.flags.setCarryOverflow(carry, overflow);
      };
      if (countOperand.kind === "one") setFlags();
      else e.if(count, setFlags);
      return result;
    });
  };
}

export const shl: Semantics = shift((e, size, a, count) => {
  const wide = e.shl(a, count);
  const result = e.zeroExtend(wide, size);
  const carry =
    size < 32
      ? bitAt(e, wide, size)
      : // The last bit out; for a count of zero this is not used.
        bitAt(e, a, e.sub(e.i32(size), count));
  return { result, carry, overflow: e.xor(signBit(e, result, size), carry) };
}, true);

export const shr: Semantics = shift((e, size, a, count) => {
  const result = e.shrU(a, count);
  const carry = bitAt(e, a, e.sub(count, e.i32(1)));
  // Short operands are shifted as 32 bits: for counts beyond the size the carry is zero, as it should be.
  return { result, carry, overflow: topBitsDiffer(e, result, size) };
}, true);

export const sar: Semantics = shift((e, size, a, count) => {
  const extended = e.signExtend(a, size);
  const result = e.zeroExtend(e.shrS(extended, count), size);
  const carry = e.and(e.wrap(e.shrS(extended, e.sub(count, e.i32(1)))), e.i32(1));
  return { result, carry, overflow: e.i32(0) };
}, true);

/** Rotates `a` left by `count` (i32, any value). */
function rotateLeft(e: X86Emitter, size: Size, a: Value, count: Value): Value {
  if (size >= 32) return e.rotl(a, count);
  const by = e.and(count, e.i32(size - 1));
  return e.zeroExtend(e.or(e.shl(a, by), e.shrU(a, e.sub(e.i32(size), by))), size);
}

export const rol: Semantics = shift((e, size, a, count) => {
  const result = rotateLeft(e, size, a, count);
  const carry = e.and(e.wrap(result), e.i32(1));
  return { result, carry, overflow: e.xor(signBit(e, result, size), carry) };
}, false);

export const ror: Semantics = shift((e, size, a, count) => {
  const result = rotateLeft(e, size, a, e.neg(count));
  return { result, carry: signBit(e, result, size), overflow: topBitsDiffer(e, result, size) };
}, false);

/** Rotates `size` + 1 bits, CF on top, left by `count` (0 to `size`). */
function rotateThroughCarry(e: X86Emitter, size: Size, a: Value, count: Value): { result: Value; carry: Value } {
  if (size < 64) {
    const bits = e.or(e.extendU(a), e.shl(e.extendU(e.flags.carry()), size));
    const rotated = e.or(e.shl(bits, count), e.shrU(bits, e.sub(e.i32(size + 1), count)));
    return { result: truncate(e, rotated, size), carry: bitAt(e, rotated, size) };
  }
  const carryIn = e.flags.carry();
  // The part that comes in from the right: CF above the high bits of a, shifted right by 65 - count. Shift counts are
  // taken modulo 64, so 65 - count is done in two steps, and a count of zero is left to select.
  const low = e.or(e.shl(e.extendU(carryIn), e.sub(count, e.i32(1))), e.shrU(e.shrU(a, 1), e.sub(e.i32(64), count)));
  const result = e.select(count, e.or(e.shl(a, count), low), a);
  return { result, carry: e.select(count, bitAt(e, a, e.sub(e.i32(64), count)), carryIn) };
}

/** Count of RCL and RCR for short operands: modulo 9 or 17 after the masking to 5 bits. */
function reduceCount(e: X86Emitter, size: Size, count: Value): Value {
  return size < 32 ? e.op("i32.rem_u", count, e.i32(size + 1)) : count;
}

export const rcl: Semantics = shift((e, size, a, count) => {
  const { result, carry } = rotateThroughCarry(e, size, a, reduceCount(e, size, count));
  return { result, carry, overflow: e.xor(signBit(e, result, size), carry) };
}, false);

export const rcr: Semantics = shift((e, size, a, count) => {
  // Right by n is left by size + 1 - n, modulo size + 1.
  const right = reduceCount(e, size, count);
  const left = e.select(right, e.sub(e.i32(size + 1), right), e.i32(0));
  const { result, carry } = size === 64 ? rotateRight65(e, a, right) : rotateThroughCarry(e, size, a, left);
  return { result, carry, overflow: topBitsDiffer(e, result, size) };
}, false);

/** RCR of 64 bits: the mirror image of {@link rotateThroughCarry}. */
function rotateRight65(e: X86Emitter, a: Value, count: Value): { result: Value; carry: Value } {
  const carryIn = e.flags.carry();
  const back = e.sub(e.i32(64), count);
  const high = e.or(e.shl(e.extendU(carryIn), back), e.shl(e.shl(a, 1), back));
  const result = e.select(count, e.or(e.shrU(a, count), high), a);
  return { result, carry: e.select(count, bitAt(e, a, e.sub(count, e.i32(1))), carryIn) };
}

/** SHLD and SHRD: a count of zero changes nothing at all, flags included. */
function doubleShift(operation: (e: X86Emitter, size: Size, a: Value, b: Value, count: Value) => Shifted): Semantics {
  return (e, operands) => {
    const dst = operandAt(operands, 0);
    const size = sizeOf(dst);
    const b = e.read(operandAt(operands, 1));
    const count = maskedCount(e, operandAt(operands, 2), size);
    e.modify(dst, (a) => {
      const { result, carry, overflow } = operation(e, size, a, b, count);
      e.if(count, () => e.flags.explicit(size, result, carry, overflow));
      return e.select(count, result, a);
    });
  };
}

export const shld: Semantics = doubleShift((e, size, a, b, count) => {
  let result: Value;
  let carry: Value;
  if (size === 16) {
    // Counts above 16 are undefined; real CPUs rotate a:b:a.
    const wide = e.or(e.extendU(b), e.shl(e.extendU(a), 16));
    const bits = e.or(e.shl(wide, 16), e.extendU(a));
    const shifted = e.shl(bits, count);
    result = truncate(e, e.shrU(shifted, 32), 16);
    carry = bitAt(e, shifted, 48);
  } else {
    const back = e.sub(e.i32(size), count);
    result = e.or(e.shl(a, count), e.shrU(b, back));
    carry = bitAt(e, a, back);
  }
  return { result, carry, overflow: e.xor(signBit(e, result, size), carry) };
});

export const shrd: Semantics = doubleShift((e, size, a, b, count) => {
  let result: Value;
  if (size === 16) {
    const wide = e.or(e.extendU(a), e.shl(e.extendU(b), 16));
    const bits = e.or(wide, e.shl(e.extendU(a), 32));
    result = truncate(e, e.shrU(bits, count), 16);
    const carry = bitAt(e, bits, e.sub(count, e.i32(1)));
    return { result, carry, overflow: topBitsDiffer(e, result, size) };
  }
  result = e.or(e.shrU(a, count), e.shl(b, e.sub(e.i32(size), count)));
  return { result, carry: bitAt(e, a, e.sub(count, e.i32(1))), overflow: topBitsDiffer(e, result, size) };
});

/** SHLX, SHRX, SARX: shifts without flags, counts masked to the operand size. */
export const shlx: Semantics = (e, operands) => shiftWithoutFlags(e, operands, (a, count) => e.shl(a, count));
export const shrx: Semantics = (e, operands) => shiftWithoutFlags(e, operands, (a, count) => e.shrU(a, count));
export const sarx: Semantics = (e, operands) => shiftWithoutFlags(e, operands, (a, count) => e.shrS(a, count));

function shiftWithoutFlags(
  e: X86Emitter,
  operands: readonly Operand[],
  apply: (a: Value, count: Value) => Value,
): void {
  // WebAssembly masks shift counts exactly as these instructions do.
  const a = e.read(operandAt(operands, 1));
  e.write(operandAt(operands, 0), apply(a, e.read(operandAt(operands, 2))));
}

export const rorx: Semantics = (e, operands) => {
  const a = e.read(operandAt(operands, 1));
  e.write(operandAt(operands, 0), e.rotr(a, e.wrap(e.immediate())));
};
