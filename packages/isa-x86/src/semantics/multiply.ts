// SPDX-License-Identifier: Apache-2.0
import type { Value } from "@isola/engine";
import type { Operand } from "../table/operand.js";
import type { Size } from "./flags.js";
import { operandAt, readAs, sizeOf, truncate } from "./integer-operand.js";
import type { Semantics } from "./semantics.js";
import { Gpr, Vector, type X86Emitter } from "./x86-emitter.js";

/** High 64 bits of a 64 by 64 bit product: four products of halves, since WebAssembly has none that is wider. */
function multiplyHigh(e: X86Emitter, a: Value, b: Value, signed: boolean): Value {
  const low = (value: Value): Value => e.and(value, e.i64(0xffff_ffffn));
  const [aLow, aHigh] = [low(a), e.shrU(a, 32)];
  const [bLow, bHigh] = [low(b), e.shrU(b, 32)];
  const cross = e.add(e.mul(aHigh, bLow), e.shrU(e.mul(aLow, bLow), 32));
  const middle = e.add(e.mul(aLow, bHigh), low(cross));
  const high = e.add(e.add(e.mul(aHigh, bHigh), e.shrU(cross, 32)), e.shrU(middle, 32));
  if (!signed) return high;
  // As unsigned numbers, negative factors are 2^64 too large.
  return e.sub(e.sub(high, e.and(e.shrS(a, 63), b)), e.and(e.shrS(b, 63), a));
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
  if (size < 32) {
    const dividend = e.or(e.shl(high, size), low);
    const quotient = e.op("i32.div_u", dividend, divisor);
    return writeDouble(e, size, quotient, e.sub(dividend, e.mul(quotient, divisor)));
  }
  const quotient = e.choose(
    e.eqz(high),
    "i32",
    () => e.op("i32.div_u", low, divisor),
    () => e.wrap(e.op("i64.div_u", wideDividend(e, low, high), e.extendU(divisor))),
  );
  // Modulo 2^32 this is right for the wide dividend too; a remainder by itself would be a second division.
  writeDouble(e, 32, quotient, e.sub(low, e.mul(quotient, divisor)));
};

/** IDIV. Flags are undefined and stay. */
export const idiv: Semantics = (e, operands) => {
  const src = operandAt(operands, 0);
  const size = sizeOf(src);
  const divisor = e.read(src);
  if (size === 64) return divideSigned64(e, divisor);
  e.raiseIf(e.eqz(divisor), Vector.DE);
  const [low, high] = dividendHalves(e, size);
  if (size < 32) {
    const dividend = e.signExtend(e.or(e.shl(high, size), low), size * 2);
    const by = e.signExtend(divisor, size);
    // As 32-bit numbers: the one quotient that does not fit them is that of a 32-bit dividend.
    if (size === 16) e.raiseIf(e.and(e.eq(dividend, e.i32(MIN_I32)), e.eq(by, e.i32(-1))), Vector.DE);
    const quotient = e.op("i32.div_s", dividend, by);
    e.raiseIf(e.ne(e.signExtend(quotient, size), quotient), Vector.DE);
    const remainder = e.sub(dividend, e.mul(quotient, by));
    return writeDouble(e, size, truncate(e, quotient, size), truncate(e, remainder, size));
  }
  // A dividend that is a sign-extended 32-bit value, other than the smallest one, has a quotient of 32 bits.
  const short = e.and(e.eq(high, e.shrS(low, 31)), e.ne(low, e.i32(MIN_I32)));
  const quotient = e.choose(
    short,
    "i32",
    () => e.op("i32.div_s", low, divisor),
    () => {
      const dividend = wideDividend(e, low, high);
      const wide = e.extendS(divisor);
      // The one signed division that WebAssembly traps on; its quotient does not fit either.
      e.raiseIf(e.and(e.eq(dividend, e.i64(MIN_I64)), e.eq(wide, e.i64(-1))), Vector.DE);
      const value = e.op("i64.div_s", dividend, wide);
      e.raiseIf(e.ne(e.signExtend(value, 32), value), Vector.DE);
      return e.wrap(value);
    },
  );
  writeDouble(e, 32, quotient, e.sub(low, e.mul(quotient, divisor)));
};

const MIN_I32 = -(2 ** 31);
const MIN_I64 = -(1n << 63n);

function dividendHalves(e: X86Emitter, size: Size): [low: Value, high: Value] {
  if (size !== 8) return [e.readGpr(Gpr.RAX, size), e.readGpr(Gpr.RDX, size)];
  const ax = e.readGpr(Gpr.RAX, 16);
  return [e.and(ax, e.i32(0xff)), e.shrU(ax, 8)];
}

/** Two 32-bit halves as i64. */
function wideDividend(e: X86Emitter, low: Value, high: Value): Value {
  return e.or(e.shl(e.extendU(high), 32), e.extendU(low));
}

function divideUnsigned64(e: X86Emitter, divisor: Value): void {
  const [low, high] = dividendHalves(e, 64);
  e.raiseIf(e.geU(high, divisor), Vector.DE);
  const quotient = e.choose(
    e.eqz(high),
    "i64",
    () => e.op("i64.div_u", low, divisor),
    () => e.call("divideUnsigned", [high, low, divisor], "i64"),
  );
  writeDouble(e, 64, quotient, e.sub(low, e.mul(quotient, divisor)));
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
