// SPDX-License-Identifier: Apache-2.0
import { cmps, lods, movs, scas, stos } from "../semantics/string.js";
import { type Attributes, type Opcode, op } from "./opcode.js";

const REPEAT: Attributes = { repeat: true };

/** String instructions on memory; INS and OUTS are with the system instructions. */
export const integerString: readonly Opcode[] = [
  op("a4", "movs Yb,Xb", movs, REPEAT),
  op("a5", "movs Yv,Xv", movs, REPEAT),
  op("a6", "cmps Xb,Yb", cmps, REPEAT),
  op("a7", "cmps Xv,Yv", cmps, REPEAT),
  op("aa", "stos Yb,AL", stos, REPEAT),
  op("ab", "stos Yv,rAX", stos, REPEAT),
  op("ac", "lods AL,Xb", lods, REPEAT),
  op("ad", "lods rAX,Xv", lods, REPEAT),
  op("ae", "scas AL,Yb", scas, REPEAT),
  op("af", "scas rAX,Yv", scas, REPEAT),
];
