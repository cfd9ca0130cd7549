// SPDX-License-Identifier: Apache-2.0
import type { Value } from "@isola/engine";
import type { X86Emitter } from "./x86-emitter.js";

export const enum Flag {
  CF = 1 << 0,
  PF = 1 << 2,
  AF = 1 << 4,
  ZF = 1 << 6,
  SF = 1 << 7,
  OF = 1 << 11,
}

export const ARITHMETIC_FLAGS: number = Flag.CF | Flag.PF | Flag.AF | Flag.ZF | Flag.SF | Flag.OF;

export type Size = 8 | 16 | 32 | 64;

/** Bits of flagAux; see cpu-layout.ts. */

const AUX_CARRY_OVERFLOW = 0xc000_0000 | 0;
const AUX_ADJUST = 8;
const AUX_ALU = AUX_CARRY_OVERFLOW | AUX_ADJUST;

/**
 * The arithmetic flags in the lazy form that cpu-layout.ts describes. Operands and results are values of the operation
 * size: i32 zero-extended below 64 bits, i64 at 64.
 */
export class Flags {
  constructor(protected readonly e: X86Emitter) {}

  // -- setting --------------------------------------------------------------------------------------------------------

  /** All six flags of `a + b = result`. */
  add(size: Size, a: Value, b: Value, result: Value): void {
    this.store(size, result, this.auxOfSum(size, a, b, result));
  }

  /** All six flags of `a + b + CF = result`. */
  addWithCarry(size: Size, a: Value, b: Value, result: Value): void {
    this.store(size, result, this.auxOfSum(size, a, b, result));
  }

  /** All six flags of `a - b = result`. */
  sub(size: Size, a: Value, b: Value, result: Value): void {
    this.store(size, result, this.auxOfDifference(size, a, b, result));
  }

  /** All six flags of `a - b - CF = result`. */
  subWithBorrow(size: Size, a: Value, b: Value, result: Value): void {
    this.store(size, result, this.auxOfDifference(size, a, b, result));
  }

  /** Flags of AND, OR, XOR, TEST: CF = OF = AF = 0. */
  logic(size: Size, result: Value): void {
    this.store(size, result, this.e.i32(0));
  }

  /** Like {@link add} but CF stays: INC. */
  increment(size: Size, a: Value, result: Value): void {
    const carry = this.carry();
    this.store(size, result, this.auxOfSum(size, a, this.e.constantLike(a, 1), result));
    this.setCarry(carry);
  }

  /** Like {@link sub} but CF stays: DEC. */
  decrement(size: Size, a: Value, result: Value): void {
    const carry = this.carry();
    this.store(size, result, this.auxOfDifference(size, a, this.e.constantLike(a, 1), result));
    this.setCarry(carry);
  }

  /** ZF, SF, PF from `result`; CF, OF (and AF) as given, each i32 0 or 1. */
  explicit(size: Size, result: Value, carry: Value, overflow: Value, adjust?: Value): void {
    const e = this.e;
    let aux = e.or(e.shl(carry, 31), e.shl(e.xor(carry, overflow), 30));
    if (adjust !== undefined) aux = e.or(aux, e.shl(adjust, 3));
    this.store(size, result, aux);
  }

  /**
   * Flags of the low half `result` of the signed product `a * b`: CF = OF = the product does not fit; ZF, SF, PF are
   * undefined and follow the result, as they do on real CPUs.
   */
  product(size: Size, a: Value, b: Value, result: Value): void {
    const overflow = this.overflowOfProduct(size, a, b, result);
    this.explicit(size, result, overflow, overflow);
  }

  /** Whether a signed product does not fit the operand size, as i32 0 or 1. */
  protected overflowOfProduct(size: Size, a: Value, b: Value, result: Value): Value {
    const e = this.e;
    if (size < 64) {
      const product = e.mul(e.extendS(e.signExtend(a, size)), e.extendS(e.signExtend(b, size)));
      return e.ne(e.signExtend(product, size), product);
    }
    // Products of two 32-bit values fit; only others need the high half.
    const fits = (value: Value): Value => e.eq(e.signExtend(value, 32), value);
    return e.choose(
      e.and(fits(a), fits(b)),
      "i32",
      () => e.i32(0),
      () => e.ne(e.call("multiplyHighSigned", [a, b], "i64"), e.shrS(result, 63)),
    );
  }

  /** ZF, PF and CF as given, each i32 0 or 1; OF, SF and AF become 0: COMISS, PTEST. */
  compare(zero: Value, parity: Value, carry: Value): void {
    const e = this.e;
    const top = e.and(e.neg(carry), e.i32(AUX_CARRY_OVERFLOW));
    // The result is 0 or 0x100: its low byte has even parity, which the correction in bit 8 of aux makes odd.
    this.setAux(e.or(top, e.shl(e.xor(parity, e.i32(1)), 8)));
    this.setRes(e.extendU(e.shl(e.xor(zero, e.i32(1)), 8)));
  }

  /** Replaces CF (i32 0 or 1); the other flags stay. */
  setCarry(carry: Value): void {
    const e = this.e;
    const aux = this.aux();
    // Bit 30 is CF ^ OF, so it flips with CF.
    const change = e.xor(e.shrU(aux, 31), carry);
    this.setAux(e.xor(aux, e.and(e.neg(change), e.i32(AUX_CARRY_OVERFLOW))));
  }

  /** Replaces CF and OF (each i32 0 or 1); the other flags stay. */
  setCarryOverflow(carry: Value, overflow: Value): void {
    const e = this.e;
    const kept = e.and(this.aux(), e.i32(~AUX_CARRY_OVERFLOW));
    this.setAux(e.or(kept, e.or(e.shl(carry, 31), e.shl(e.xor(carry, overflow), 30))));
  }

  /** Replaces ZF (i32 0 or 1); the other flags stay. */
  setZero(zero: Value): void {
    const e = this.e;
    this.writeAll(e.or(e.and(this.readAll(), e.i32(~Flag.ZF)), e.shl(zero, 6)));
  }

  /** Loads all six flags from their positions in EFLAGS; other bits are ignored. */
  writeAll(eflags: Value): void {
    const e = this.e;
    const bit = (flag: number): Value => e.and(e.shrU(eflags, flag), e.i32(1));
    const carry = bit(0);
    let aux = e.or(e.shl(carry, 31), e.shl(e.xor(carry, bit(11)), 30));
    aux = e.or(aux, e.shl(bit(4), 3));
    // The result is 0 or 0x100: its low byte has even parity and its sign is clear; the corrections do the rest.
    aux = e.or(aux, e.or(e.shl(e.xor(bit(2), e.i32(1)), 8), bit(7)));
    this.setAux(aux);
    this.setRes(e.extendU(e.shl(e.xor(bit(6), e.i32(1)), 8)));
  }

  // -- reading --------------------------------------------------------------------------------------------------------

  /** CF as i32 0 or 1, likewise below. */
  carry(): Value {
    return this.e.shrU(this.aux(), 31);
  }

  overflow(): Value {
    const e = this.e;
    const aux = this.aux();
    return e.shrU(e.xor(aux, e.shl(aux, 1)), 31);
  }

  zero(): Value {
    return this.e.eqz(this.res());
  }

  sign(): Value {
    const e = this.e;
    return e.xor(e.wrap(e.shrU(this.res(), 63)), e.and(this.aux(), e.i32(1)));
  }

  parity(): Value {
    const e = this.e;
    const byte = e.and(e.xor(e.wrap(this.res()), e.shrU(this.aux(), 8)), e.i32(0xff));
    return e.and(e.not(e.popcnt(byte)), e.i32(1));
  }

  adjust(): Value {
    return this.e.and(this.e.shrU(this.aux(), 3), this.e.i32(1));
  }

  /** The six flags at their positions in EFLAGS. */
  readAll(): Value {
    const e = this.e;
    let all = this.carry();
    all = e.or(all, e.shl(this.parity(), 2));
    all = e.or(all, e.shl(this.adjust(), 4));
    all = e.or(all, e.shl(this.zero(), 6));
    all = e.or(all, e.shl(this.sign(), 7));
    return e.or(all, e.shl(this.overflow(), 11));
  }

  /** Condition `code` (0-15, SDM 1 appendix B) as i32 0 or 1. */
  condition(code: number): Value {
    const e = this.e;
    const positive = this.positiveCondition(code >> 1);
    return (code & 1) === 0 ? positive : e.eqz(positive);
  }

  protected positiveCondition(code: number): Value {
    const e = this.e;
    switch (code) {
      case 0:
        return this.overflow();
      case 1:
        return this.carry();
      case 2:
        return this.zero();
      case 3:
        return e.or(this.carry(), this.zero());
      case 4:
        return this.sign();
      case 5:
        return this.parity();
      case 6:
        return e.xor(this.sign(), this.overflow());
      default:
        return e.or(e.xor(this.sign(), this.overflow()), this.zero());
    }
  }

  // -- representation -------------------------------------------------------------------------------------------------

  protected aux(): Value {
    return this.e.loadState("i32.load", "flagAux");
  }

  protected res(): Value {
    return this.e.loadState("i64.load", "flagRes");
  }

  protected setAux(aux: Value): void {
    this.e.storeState("i32.store", "flagAux", aux);
  }

  protected setRes(res: Value): void {
    this.e.storeState("i64.store", "flagRes", res);
  }

  protected store(size: Size, result: Value, aux: Value): void {
    const e = this.e;
    this.setRes(size === 64 ? result : e.extendS(e.signExtend(result, size)));
    this.setAux(aux);
  }

  /** Carry vector of `size` bits -> flagAux: bits 31 and 30 hold the two top carries, bit 3 the one out of bit 3. */
  private auxOfCarries(size: Size, carries: Value): Value {
    const e = this.e;
    if (size === 64) {
      const top = e.and(e.wrap(e.shrU(carries, 32)), e.i32(AUX_CARRY_OVERFLOW));
      return e.or(top, e.and(e.wrap(carries), e.i32(AUX_ADJUST)));
    }
    if (size === 32) return e.and(carries, e.i32(AUX_ALU));
    const top = e.and(e.shl(carries, 32 - size), e.i32(AUX_CARRY_OVERFLOW));
    return e.or(top, e.and(carries, e.i32(AUX_ADJUST)));
  }

  /** flagAux of a sum. */
  protected auxOfSum(size: Size, a: Value, b: Value, result: Value): Value {
    const e = this.e;
    // Carries out of every bit: (a & b) | ((a | b) & ~result).
    return this.auxOfCarries(size, e.or(e.and(a, b), e.and(e.or(a, b), e.not(result))));
  }

  /** flagAux of a difference. */
  protected auxOfDifference(size: Size, a: Value, b: Value, result: Value): Value {
    const e = this.e;
    // Borrows out of every bit: (~a & b) | ((~a | b) & result).
    const notA = e.not(a);
    return this.auxOfCarries(size, e.or(e.and(notA, b), e.and(e.or(notA, b), result)));
  }
}
