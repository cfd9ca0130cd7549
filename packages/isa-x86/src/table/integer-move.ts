// SPDX-License-Identifier: Apache-2.0
import { xchg } from "../semantics/exchange.js";
import {
  bswap,
  cbw,
  clc,
  cld,
  cmc,
  cmov,
  cwd,
  lahf,
  lea,
  mov,
  movbe,
  movsx,
  movzx,
  sahf,
  salc,
  setcc,
  stc,
  std,
  xlat,
} from "../semantics/move.js";
import { CONDITIONS } from "./condition.js";
import { type Attributes, type Opcode, op } from "./opcode.js";

const SIZED: Attributes = { sized: true };
const MOVBE: Attributes = { feature: "MOVBE" };

function hex(opcode: number): string {
  return opcode.toString(16).padStart(2, "0");
}

/** Moves, conversions, and the instructions that change single flags. */
export const integerMove: readonly Opcode[] = [
  op("88 /r", "mov Eb,Gb", mov),
  op("89 /r", "mov Ev,Gv", mov),
  op("8a /r", "mov Gb,Eb", mov),
  op("8b /r", "mov Gv,Ev", mov),
  op("a0", "mov AL,Ob", mov),
  op("a1", "mov rAX,Ov", mov),
  op("a2", "mov Ob,AL", mov),
  op("a3", "mov Ov,rAX", mov),
  op("b0 +r", "mov Zb,Ib", mov),
  op("b8 +r", "mov Zv,Iv", mov),
  op("c6 /0", "mov Eb,Ib", mov),
  op("c7 /0", "mov Ev,Iz", mov),
  op("0f b6 /r", "movzx Gv,Eb", movzx),
  op("0f b7 /r", "movzx Gv,Ew", movzx),
  op("0f be /r", "movsx Gv,Eb", movsx),
  op("0f bf /r", "movsx Gv,Ew", movsx),
  op("63 /r", "movsxd Gv,Ez", movsx, { only: "64" }),
  op("8d /r", "lea Gv,M", lea),
  op("90 +r", "xchg Zv,rAX", xchg),
  op("0f c8 +r", "bswap Zv", bswap),
  op("0f 38 f0 /r", "movbe Gv,Mv", movbe, MOVBE),
  op("0f 38 f1 /r", "movbe Mv,Gv", movbe, MOVBE),
  ...CONDITIONS.map((condition, i) => op(`0f ${hex(0x40 + i)} /r`, `cmov${condition} Gv,Ev`, cmov)),
  ...CONDITIONS.map((condition, i) => op(`0f ${hex(0x90 + i)} /r`, `set${condition} Eb`, setcc)),
  op("98", "cbw", cbw, SIZED),
  op("99", "cwd", cwd, SIZED),
  op("d7", "xlat", xlat, { repeat: true, shown: "T" }),
  op("d6", "salc", salc, { only: "not64" }),

  op("9f", "lahf", lahf),
  op("9e", "sahf", sahf),
  op("f8", "clc", clc),
  op("f9", "stc", stc),
  op("f5", "cmc", cmc),
  op("fc", "cld", cld),
  op("fd", "std", std),
];
