// SPDX-License-Identifier: Apache-2.0
import type { Operand } from "../table/operand.js";
import type { Semantics } from "./semantics.js";
import type { X86Emitter } from "./x86-emitter.js";

/**
 * A string instruction, with or without a repeat prefix: one helper call that does a bounded amount of work on rCX, rSI
 * and rDI. If it says that iterations remain, the same instruction is executed again, so that interrupts can come in
 * between (SDM 2, REP).
 */
function stringInstruction(helper: string): Semantics {
  return (e, operands) => {
    const unfinished = e.callFaultingValue(helper, [e.cpu, e.record, e.i32(elementBytes(operands))], "i32");
    e.if(unfinished, () => again(e));
  };
}

function elementBytes(operands: readonly Operand[]): number {
  for (const operand of operands) if (operand.kind === "string") return operand.size / 8;
  throw new Error("a string instruction without a string operand");
}

function again(e: X86Emitter): void {
  e.storeState("i64.store", "rip", e.call("recordRip", [e.cpu, e.record], "i64"));
  e.reenter();
}

export const movs: Semantics = stringInstruction("moveString");
export const stos: Semantics = stringInstruction("storeString");
export const lods: Semantics = stringInstruction("loadString");
export const cmps: Semantics = stringInstruction("compareStrings");
export const scas: Semantics = stringInstruction("scanString");
