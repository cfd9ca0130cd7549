// SPDX-License-Identifier: Apache-2.0
import { add, cmp } from "../semantics/alu.js";
import type { Semantics } from "../semantics/semantics.js";
import { type Attributes, type Opcode, op } from "./opcode.js";

const LOCK: Attributes = { lock: true };

/** One of the eight operations with the encodings base+0 to base+5 and 80-83 /digit. */
function group(digit: number, name: string, semantics: Semantics, attributes: Attributes): Opcode[] {
  const byte = (offset: number): string => (digit * 8 + offset).toString(16).padStart(2, "0");
  return [
    op(`${byte(0)} /r`, `${name} Eb,Gb`, semantics, attributes),
    op(`${byte(1)} /r`, `${name} Ev,Gv`, semantics, attributes),
    op(`${byte(2)} /r`, `${name} Gb,Eb`, semantics),
    op(`${byte(3)} /r`, `${name} Gv,Ev`, semantics),
    op(byte(4), `${name} AL,Ib`, semantics),
    op(byte(5), `${name} rAX,Iz`, semantics),
    op(`80 /${digit}`, `${name} Eb,Ib`, semantics, attributes),
    op(`81 /${digit}`, `${name} Ev,Iz`, semantics, attributes),
    op(`82 /${digit}`, `${name} Eb,Ib`, semantics, { ...attributes, only: "not64" }),
    op(`83 /${digit}`, `${name} Ev,Ib`, semantics, attributes),
  ];
}

export const integerAlu: readonly Opcode[] = [...group(0, "add", add, LOCK), ...group(7, "cmp", cmp, {})];
