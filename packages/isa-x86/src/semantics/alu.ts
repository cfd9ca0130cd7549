// SPDX-License-Identifier: Apache-2.0
import type { Semantics } from "./semantics.js";
import type { Size } from "./flags.js";
import type { Operand } from "../table/operand.js";

/** Size in bits of an integer operand. */
export function sizeOf(operand: Operand): Size {
  if (operand.kind === "gpr" || operand.kind === "fixed" || operand.kind === "imm" || (operand.kind === "mem" && operand.size >= 8))
    return operand.size as Size;
  throw new Error(`a ${operand.kind} operand has no integer size`);
}

export const add: Semantics = (e, [dst, src]) => {
  const b = e.read(src!);
  e.modify(dst!, (a) => {
    const result = e.zeroExtend(e.add(a, b), sizeOf(dst!));
    e.flags.add(sizeOf(dst!), a, b, result);
    return result;
  });
};

/** CMP: the flags of a subtraction. */
export const cmp: Semantics = (e, [left, right]) => {
  const size = sizeOf(left!);
  const a = e.read(left!);
  const b = e.read(right!);
  e.flags.sub(size, a, b, e.zeroExtend(e.sub(a, b), size));
};

export const mov: Semantics = (e, [dst, src]) => e.write(dst!, e.read(src!));

/** Jcc: the low four bits of the opcode are the condition. */
export const jcc: Semantics = (e, _operands, form) => e.branch(e.flags.condition(form.opcode.encoding.opcode & 15));
