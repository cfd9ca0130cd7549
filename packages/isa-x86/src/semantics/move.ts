// SPDX-License-Identifier: Apache-2.0
import type { Value } from "@isola/engine";
import { operandAt, readAs, sizeOf, truncate } from "./integer-operand.js";
import type { Semantics } from "./semantics.js";
import { Gpr, type X86Emitter } from "./x86-emitter.js";

export const mov: Semantics = (e, operands) => {
  const dst = operandAt(operands, 0);
  e.write(dst, readAs(e, operandAt(operands, 1), sizeOf(dst)));
};

export const movzx: Semantics = (e, operands) => {
  const dst = operandAt(operands, 0);
  e.write(dst, truncate(e, e.read(operandAt(operands, 1)), sizeOf(dst)));
};

/** MOVSX and MOVSXD. */
export const movsx: Semantics = (e, operands) => {
  const dst = operandAt(operands, 0);
  const src = operandAt(operands, 1);
  const value = e.signExtend(e.read(src), sizeOf(src));
  e.write(dst, sizeOf(dst) === 64 ? e.extendS(value) : e.zeroExtend(value, sizeOf(dst)));
};

/** LEA: the offset, without segment, truncated to the operand size. */
export const lea: Semantics = (e, operands) => {
  const dst = operandAt(operands, 0);
  e.write(dst, truncate(e, e.effectiveAddress(), sizeOf(dst)));
};

/** CMOVcc reads its source, and clears bits 32-63 of a 32-bit destination, whatever the condition. */
export const cmov: Semantics = (e, operands, form) => {
  const dst = operandAt(operands, 0);
  const value = e.read(operandAt(operands, 1));
  const condition = e.flags.condition(form.opcode.encoding.opcode & 15);
  e.write(dst, e.select(condition, value, e.read(dst)));
};

export const setcc: Semantics = (e, operands, form) => {
  e.write(operandAt(operands, 0), e.flags.condition(form.opcode.encoding.opcode & 15));
};

/** CBW, CWDE, CDQE: rAX from its lower half. */
export const cbw: Semantics = (e, _operands, form) => {
  const size = form.operandSize;
  const half = e.signExtend(e.readGpr(Gpr.RAX, (size / 2) as 8 | 16 | 32), size / 2);
  e.writeGpr(Gpr.RAX, size, size === 64 ? e.extendS(half) : e.zeroExtend(half, size));
};

/** CWD, CDQ, CQO: rDX filled with the sign of rAX. */
export const cwd: Semantics = (e, _operands, form) => {
  const size = form.operandSize;
  const sign = e.shrS(e.signExtend(e.readGpr(Gpr.RAX, size), size), size - 1);
  e.writeGpr(Gpr.RDX, size, e.zeroExtend(sign, size));
};

/** Bytes of `value` in reverse order. */
function reverseBytes(e: X86Emitter, value: Value, size: 16 | 32 | 64): Value {
  const swapHalves = (mask: bigint, by: number): void => {
    const m = e.constantLike(value, mask);
    value = e.or(e.and(e.shrU(value, by), m), e.shl(e.and(value, m), by));
  };
  if (size === 16) return e.zeroExtend(e.or(e.shl(value, 8), e.shrU(value, 8)), 16);
  swapHalves(size === 64 ? 0x00ff_00ff_00ff_00ffn : 0x00ff_00ffn, 8);
  if (size === 32) return e.rotl(value, 16);
  swapHalves(0x0000_ffff_0000_ffffn, 16);
  return e.rotl(value, 32);
}

/** BSWAP of 16 bits is undefined; real CPUs clear the register. */
export const bswap: Semantics = (e, operands, form) => {
  const dst = operandAt(operands, 0);
  if (form.operandSize === 16) e.write(dst, e.i32(0));
  else e.write(dst, reverseBytes(e, e.read(dst), form.operandSize));
};

export const movbe: Semantics = (e, operands, form) => {
  e.write(operandAt(operands, 0), reverseBytes(e, e.read(operandAt(operands, 1)), form.operandSize));
};

/** XLAT: AL from the table at rBX of the address size. */
export const xlat: Semantics = (e) => {
  e.writeGpr(Gpr.RAX, 8, e.callFaultingValue("translateByte", [e.cpu, e.record], "i32"));
};

export const lahf: Semantics = (e) => {
  // Bit 1 of the flags is always set, and CF PF AF ZF SF are in the low byte.
  const flags = e.or(e.and(e.flags.readAll(), e.i32(0xd5)), e.i32(2));
  const ax = e.readGpr(Gpr.RAX, 16);
  e.writeGpr(Gpr.RAX, 16, e.or(e.and(ax, e.i32(0xff)), e.shl(flags, 8)));
};

export const sahf: Semantics = (e) => {
  const loaded = e.shrU(e.readGpr(Gpr.RAX, 16), 8);
  e.flags.writeAll(e.or(loaded, e.shl(e.flags.overflow(), 11)));
};

export const clc: Semantics = (e) => e.flags.setCarry(e.i32(0));
export const stc: Semantics = (e) => e.flags.setCarry(e.i32(1));
export const cmc: Semantics = (e) => e.flags.setCarry(e.eqz(e.flags.carry()));

const DIRECTION = 0x400;

export const cld: Semantics = (e) => {
  e.storeState("i32.store", "eflags", e.and(e.loadState("i32.load", "eflags"), e.i32(~DIRECTION)));
};

export const std: Semantics = (e) => {
  e.storeState("i32.store", "eflags", e.or(e.loadState("i32.load", "eflags"), e.i32(DIRECTION)));
};

/** SALC: AL = CF ? FF : 0. */
export const salc: Semantics = (e) => e.writeGpr(Gpr.RAX, 8, e.zeroExtend(e.neg(e.flags.carry()), 8));
