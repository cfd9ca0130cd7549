// SPDX-License-Identifier: Apache-2.0
import {
  bound,
  call,
  callIndirect,
  int,
  int1,
  int3,
  into,
  jcc,
  jmp,
  jmpIndirect,
  jumpIfCountZero,
  loopAlways,
  loopEqual,
  loopNotEqual,
  ret,
  undefinedInstruction,
} from "../semantics/branch.js";
import type { Semantics } from "../semantics/semantics.js";
import { CONDITIONS } from "./condition.js";
import { type Attributes, type Opcode, op } from "./opcode.js";

/** Near branches have 64-bit targets in 64-bit mode; Intel CPUs ignore 66 there. */
const NEAR: Attributes = { model: true, ends: true, size64: "force64" };
const ENDS: Attributes = { ends: true };

/** LOOPcc and JCXZ: the count register has the address size. */
function counted(opcode: string, name: (size: 16 | 32 | 64) => string, semantics: Semantics): Opcode[] {
  return ([16, 32, 64] as const).map((size) =>
    op(opcode, `${name(size)} Jb`, semantics, { ...NEAR, addressSize: size }),
  );
}

function hex(opcode: number): string {
  return opcode.toString(16).padStart(2, "0");
}

/** Near branches, software interrupts and undefined instructions. */
export const integerBranch: readonly Opcode[] = [
  ...CONDITIONS.map((condition, i) => op(hex(0x70 + i), `j${condition} Jb`, jcc, NEAR)),
  ...CONDITIONS.map((condition, i) => op(`0f ${hex(0x80 + i)}`, `j${condition} Jz`, jcc, NEAR)),
  op("e9", "jmp Jz", jmp, NEAR),
  op("eb", "jmp Jb", jmp, NEAR),
  op("e8", "call Jz", call, NEAR),
  op("ff /2", "call Ev", callIndirect, NEAR),
  op("ff /4", "jmp Ev", jmpIndirect, NEAR),
  op("c2", "ret Lw", ret, NEAR),
  op("c3", "ret", ret, NEAR),
  ...counted("e0", () => "loopne", loopNotEqual),
  ...counted("e1", () => "loope", loopEqual),
  ...counted("e2", () => "loop", loopAlways),
  ...counted("e3", (size) => ({ 16: "jcxz", 32: "jecxz", 64: "jrcxz" })[size], jumpIfCountZero),

  op("cc", "int3", int3, ENDS),
  op("cd", "int Lb", int, ENDS),
  op("ce", "into", into, { only: "not64" }),
  op("f1", "int1", int1, ENDS),
  op("62 /r", "bound Gv,Ma", bound, { only: "not64" }),
  op("0f 0b", "ud2", undefinedInstruction, ENDS),
  op("0f b9 /r", "ud1 Gv,Ev", undefinedInstruction, ENDS),
  op("0f ff /r", "ud0 Gv,Ev", undefinedInstruction, ENDS),
];
