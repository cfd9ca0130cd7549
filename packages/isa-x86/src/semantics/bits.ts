// SPDX-License-Identifier: Apache-2.0
import type { Value } from "@isola/engine";
import type { Form } from "../table/form.js";
import { Flag } from "./flags.js";
import { operandAt, readAs, sizeOf, truncate } from "./integer-operand.js";
import type { Semantics } from "./semantics.js";
import { integerLoad, type X86Emitter } from "./x86-emitter.js";

/**
 * BT, BTS, BTR, BTC. A register index into memory addresses a bit string that reaches 2^63 bits to both sides of the
 * operand (SDM 2, BT); an immediate index stays within the operand. Only CF changes.
 */
function bitTest(change: ((e: X86Emitter, old: Value, bit: Value) => Value) | null): Semantics {
  return (e, operands, form) => {
    const dst = operandAt(operands, 0);
    const size = sizeOf(dst);
    const index = readAs(e, operandAt(operands, 1), size);
    const bit = e.and(e.wrap(index), e.i32(size - 1));
    const test = (old: Value): void => e.flags.setCarry(e.and(e.wrap(e.shrU(old, bit)), e.i32(1)));
    const changed = (old: Value): Value => {
      test(old);
      return change === null ? old : change(e, old, e.shl(e.constantLike(old, 1), bit));
    };
    if (dst.kind === "mem" && operandAt(operands, 1).kind === "gpr") {
      const linear = bitStringAddress(e, form, index, size, change !== null);
      const bytes = (size / 8) as 2 | 4 | 8;
      if (change === null) test(e.loadGuest(integerLoad(size), bytes, linear));
      else e.modifyGuest(bytes, linear, form.opcode.attributes.lock === true, changed);
    } else if (change === null) test(e.read(dst));
    else e.modify(dst, changed);
  };
}

/** Linear address of the word of the bit string that holds bit `index`. */
function bitStringAddress(e: X86Emitter, form: Form, index: Value, size: number, write: boolean): Value {
  const words = e.shrS(e.extendS(e.signExtend(index, size)), Math.log2(size));
  const distance = e.shl(words, Math.log2(size / 8));
  const linear = e.linearAddress();
  if (form.addressing === "flat32") return e.zeroExtend(e.add(linear, distance), 32);
  if (form.model === "long") return e.add(linear, distance);
  // Outside 64-bit mode there is an address record in front, whose address size and segment apply to the sum.
  const access = e.i32(size / 8 + (write ? 0x100 : 0));
  return e.callFaultingValue("moveAddress", [e.cpu, e.record, linear, distance, access], "i64");
}

export const bt: Semantics = bitTest(null);
export const bts: Semantics = bitTest((e, old, bit) => e.or(old, bit));
export const btr: Semantics = bitTest((e, old, bit) => e.and(old, e.not(bit)));
export const btc: Semantics = bitTest((e, old, bit) => e.xor(old, bit));

/** BSF and BSR: with a source of zero only ZF is defined, and the destination keeps its value. */
function bitScan(find: (e: X86Emitter, src: Value, size: number) => Value): Semantics {
  return (e, operands) => {
    const dst = operandAt(operands, 0);
    const size = sizeOf(dst);
    const src = e.read(operandAt(operands, 1));
    e.flags.explicit(size, src, e.i32(0), e.i32(0));
    e.if(src.type === "i64" ? e.ne(src, e.i64(0)) : src, () => e.write(dst, find(e, src, size)));
  };
}

export const bsf: Semantics = bitScan((e, src) => e.ctz(src));
export const bsr: Semantics = bitScan((e, src) => e.xor(e.clz(src), e.constantLike(src, src.type === "i64" ? 63 : 31)));

/** LZCNT and TZCNT: CF = the source is zero, ZF = the result is zero. */
function countZeros(count: (e: X86Emitter, src: Value, size: number) => Value): Semantics {
  return (e, operands) => {
    const dst = operandAt(operands, 0);
    const size = sizeOf(dst);
    const src = e.read(operandAt(operands, 1));
    const result = count(e, src, size);
    e.flags.explicit(size, result, e.eqz(src), e.i32(0));
    e.write(dst, result);
  };
}

export const lzcnt: Semantics = countZeros((e, src, size) =>
  // A 16-bit value counts as one with 16 zeros in front.
  size === 16 ? e.sub(e.clz(src), e.i32(16)) : e.clz(src),
);
export const tzcnt: Semantics = countZeros((e, src, size) =>
  size === 16 ? e.ctz(e.or(src, e.i32(0x1_0000))) : e.ctz(src),
);

/** POPCNT: ZF, all other flags cleared. */
export const popcnt: Semantics = (e, operands) => {
  const src = e.read(operandAt(operands, 1));
  e.flags.writeAll(e.shl(e.eqz(src), Math.log2(Flag.ZF)));
  e.write(operandAt(operands, 0), e.popcnt(src));
};

/** CRC32: no flags; a 64-bit destination is zero-extended. */
export const crc32: Semantics = (e, operands) => {
  const dst = operandAt(operands, 0);
  const src = operandAt(operands, 1);
  const value = e.extendU(e.read(src));
  const crc = e.call("crc32c", [e.wrap(e.read(dst)), value, e.i32(sizeOf(src) / 8)], "i32");
  e.write(dst, truncate(e, crc, sizeOf(dst)));
};
