// SPDX-License-Identifier: Apache-2.0
import { enter, leave, pop, popa, popf, push, pusha, pushf } from "../semantics/stack.js";
import { type Attributes, type Opcode, op } from "./opcode.js";

const STACK: Attributes = { model: true, size64: "default64" };
const NOT64: Attributes = { model: true, only: "not64" };

/** Stack instructions; PUSH and POP of segment registers are with the system instructions. */
export const integerStack: readonly Opcode[] = [
  op("50 +r", "push Zv", push, STACK),
  op("58 +r", "pop Zv", pop, STACK),
  op("68", "push Iz", push, STACK),
  op("6a", "push Ib", push, STACK),
  op("8f /0", "pop Ev", pop, STACK),
  op("ff /6", "push Ev", push, STACK),
  op("60", "pusha", pusha, NOT64),
  op("61", "popa", popa, NOT64),
  op("9c", "pushf", pushf, STACK),
  op("9d", "popf", popf, { ...STACK, ends: true }),
  op("c8", "enter Lw,Lb", enter, STACK),
  op("c9", "leave", leave, STACK),
];
