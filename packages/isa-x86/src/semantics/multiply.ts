// SPDX-License-Identifier: Apache-2.0
import type { Value } from "@isola/engine";
import type { Operand } from "../table/operand.js";
import type { Size } from "./flags.js";
import { operandAt, readAs, sizeOf, truncate } from "./integer-operand.js";
import type { Semantics } from "./semantics.js";
import { Gpr, Vector, type X86Emitter } from "./x86-emitter.js";

/** High 64 bits of a 64 by 64 bit product. */
function multiplyHigh(e: X86Emitter, a: Value, b: Value, signed: boolean): Value {
  return e.call(signed ? "multiplyHighSigned" : "multiplyHighUnsigned", [a, b], "i64");
}

/** Writes a double-width result: AX for bytes, else rDX:rAX. */
function writeDouble(e: X86Emitter, size: Size, low: Value, high: Value): void {
  if (size === 8) e.writeGpr(Gpr.RAX, 16, e.or(e.shl(high, 8), low));
  else {
    e.writeGpr(Gpr.RAX, size, low);
    e.writeGpr(Gpr.RDX, size, high);
  }
}

/**
 * MUL and one-operand IMUL. CF = OF = whether the high half matters; ZF, SF, PF are undefined and follow the low half,
 * as they do on real CPUs.
 */
function multiplyDouble(signed: boolean): Semantics {
  return (e, operands) => {
    const src = operandAt(operands, 0);
    const size = sizeOf(src);
    const b = e.read(src);
    const a = e.readGpr(Gpr.RAX, size);
    let low: Value;
    let high: Value;
    if (size === 64) {
      low = e.mul(a, b);
      high = multiplyHigh(e, a, b, signed);
    } else {
      const extend = (value: Value): Value => (signed ? e.extendS(e.signExtend(value, size)) : e.extendU(value));
      const product = e.mul(extend(a), extend(b));
      low = truncate(e, product, size);
      high = truncate(e, e.shrU(product, size), size);
    }
    const expected = signed ? truncate(e, e.shrS(e.signExtend(low, size), size - 1), size) : e.constantLike(low, 0);
    const overflow = e.ne(high, expected);
    e.flags.explicit(size, low, overflow, overflow);
    writeDouble(e, size, low, high);
  };
}

export const mul: Semantics = multiplyDouble(false);
export const imul: Semantics = multiplyDouble(true);

/** IMUL with two or three operands: the low half; CF = OF = the product does not fit. */
export const imulTruncated: Semantics = (e, operands) => {
  const dst = operandAt(operands, 0);
  const size = sizeOf(dst);
  const [left, right] = operands.length === 3 ? [operands[1], operands[2]] : [dst, operands[1]];
  const b = readAs(e, right as Operand, size);
  const a = e.read(left as Operand);
  const result = e.zeroExtend(e.mul(a, b), size);
  e.flags.product(size, a, b, result);
  e.write(dst, result);
};

/** MULX: unsigned product of rDX, no flags. If both destinations are one register, it gets the high half. */
export const mulx: Semantics = (e, operands) => {
  const dst = operandAt(operands, 0);
  const size = sizeOf(dst);
  const b = e.read(operandAt(operands, 2));
  const a = e.readGpr(Gpr.RDX, size);
  const product = e.mul(e.extendU(a), e.extendU(b));
  const high = size === 64 ? multiplyHigh(e, a, b, false) : e.wrap(e.shrU(product, 32));
  e.write(operandAt(operands, 1), truncate(e, product, size));
  e.write(dst, high);
};

/** DIV. Flags are undefined and stay. */
export const div: Semantics = (e, operands) => {
  const src = operandAt(operands, 0);
  const size = sizeOf(src);
  const divisor = e.read(src);
  if (size === 64) return divideUnsigned64(e, divisor);
  const [low, high] = dividendHalves(e, size);
  // The quotient fits exactly if the high half is below the divisor; that excludes zero too.
  e.raiseIf(e.geU(high, divisor), Vector.DE);
  const dividend = e.or(e.shl(e.extendU(high), size), e.extendU(low));
  const wide = e.extendU(divisor);
  const quotient = truncate(e, e.op("i64.div_u", dividend, wide), size);
  writeDouble(e, size, quotient, truncate(e, e.op("i64.rem_u", dividend, wide), size));
};

/** IDIV. Flags are undefined and stay. */
export const idiv: Semantics = (e, operands) => {
  const src = operandAt(operands, 0);
  const size = sizeOf(src);
  const divisor = e.read(src);
  if (size === 64) return divideSigned64(e, divisor);
  e.raiseIf(e.eqz(divisor), Vector.DE);
  const [low, high] = dividendHalves(e, size);
  const double = e.or(e.shl(e.extendU(high), size), e.extendU(low));
  const dividend = size === 32 ? double : e.signExtend(double, size * 2);
  const wide = e.extendS(e.signExtend(divisor, size));
  // The one signed division that WebAssembly traps on; its quotient does not fit either.
  if (size === 32) e.raiseIf(e.and(e.eq(dividend, e.i64(MIN_I64)), e.eq(wide, e.i64(-1))), Vector.DE);
  const quotient = e.op("i64.div_s", dividend, wide);
  e.raiseIf(e.ne(e.signExtend(quotient, size), quotient), Vector.DE);
  writeDouble(e, size, truncate(e, quotient, size), truncate(e, e.op("i64.rem_s", dividend, wide), size));
};

const MIN_I64 = -(1n << 63n);

function dividendHalves(e: X86Emitter, size: Size): [low: Value, high: Value] {
  if (size !== 8) return [e.readGpr(Gpr.RAX, size), e.readGpr(Gpr.RDX, size)];
  const ax = e.readGpr(Gpr.RAX, 16);
  return [e.and(ax, e.i32(0xff)), e.shrU(ax, 8)];
}

function divideUnsigned64(e: X86Emitter, divisor: Value): void {
  const [low, high] = dividendHalves(e, 64);
  e.raiseIf(e.geU(high, divisor), Vector.DE);
  const remainder = e.variable("i64");
  const quotient = e.choose(
    e.eqz(high),
    "i64",
    () => {
      e.assign(remainder, e.op("i64.rem_u", low, divisor));
      return e.op("i64.div_u", low, divisor);
    },
    () => {
      const value = e.call("divideUnsigned", [high, low, divisor], "i64");
      e.assign(remainder, e.sub(low, e.mul(value, divisor)));
      return value;
    },
  );
  writeDouble(e, 64, quotient, e.value(remainder));
}

function divideSigned64(e: X86Emitter, divisor: Value): void {
  const [low, high] = dividendHalves(e, 64);
  e.raiseIf(e.eqz(divisor), Vector.DE);
  // A dividend that is a sign-extended 64-bit value, other than the smallest one, divides inline.
  const short = e.and(e.eq(high, e.shrS(low, 63)), e.ne(low, e.i64(MIN_I64)));
  const quotient = e.choose(
    short,
    "i64",
    () => e.op("i64.div_s", low, divisor),
    () => {
      e.raiseIf(e.call("signedDivisionOverflows", [high, low, divisor], "i32"), Vector.DE);
      return e.call("divideSigned", [high, low, divisor], "i64");
    },
  );
  // Modulo 2^64 this is right for the long dividend too.
  writeDouble(e, 64, quotient, e.sub(low, e.mul(quotient, divisor)));
}
