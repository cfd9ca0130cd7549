// SPDX-License-Identifier: Apache-2.0
import type { Value } from "@isola/engine";
import type { Operand } from "../table/operand.js";
import type { Size } from "./flags.js";
import type { X86Emitter } from "./x86-emitter.js";

/** The operand that a table line declares at `index`. */
export function operandAt(operands: readonly Operand[], index: number): Operand {
  const operand = operands[index];
  if (operand === undefined) throw new Error(`the table line declares no operand ${index}`);
  return operand;
}

/** Size in bits of an integer operand. */
export function sizeOf(operand: Operand): Size {
  switch (operand.kind) {
    case "gpr":
    case "fixed":
    case "imm":
      return operand.size;
    case "mem":
      if (operand.size === 8 || operand.size === 16 || operand.size === 32 || operand.size === 64) return operand.size;
      break;
    default:
  }
  throw new Error(`a ${operand.kind} operand has no integer size`);
}

/**
 * A source operand at the size of the operation. Immediates are shorter than the operation in many encodings; they were
 * extended to 64 bits at decoding. Other operands have the size already.
 */
export function readAs(e: X86Emitter, operand: Operand, size: Size): Value {
  if (operand.kind !== "imm") return e.read(operand);
  const value = e.immediate();
  return size === 64 ? value : e.zeroExtend(e.wrap(value), size);
}

/** `value` (i32, or i64 of any contents) as a value of `size` bits: truncated, in the type that the size has. */
export function truncate(e: X86Emitter, value: Value, size: Size): Value {
  return size === 64 ? e.extendU(value) : e.zeroExtend(e.wrap(value), size);
}

/** The most significant bit of `value` of `size` bits, as i32 0 or 1. */
export function signBit(e: X86Emitter, value: Value, size: Size): Value {
  return size === 64 ? e.wrap(e.shrU(value, 63)) : e.shrU(value, size - 1);
}
