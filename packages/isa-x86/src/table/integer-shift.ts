// SPDX-License-Identifier: Apache-2.0
import type { Semantics } from "../semantics/semantics.js";
import { rcl, rcr, rol, ror, rorx, sar, sarx, shl, shld, shlx, shr, shrd, shrx } from "../semantics/shift.js";
import { type Attributes, type Opcode, op } from "./opcode.js";

const BMI2: Attributes = { feature: "BMI2" };

function group(digit: number, name: string, semantics: Semantics): Opcode[] {
  return [
    op(`c0 /${digit}`, `${name} Eb,Lb`, semantics),
    op(`c1 /${digit}`, `${name} Ev,Lb`, semantics),
    op(`d0 /${digit}`, `${name} Eb,1`, semantics),
    op(`d1 /${digit}`, `${name} Ev,1`, semantics),
    op(`d2 /${digit}`, `${name} Eb,CL`, semantics),
    op(`d3 /${digit}`, `${name} Ev,CL`, semantics),
  ];
}

/** Shifts and rotates. */
export const integerShift: readonly Opcode[] = [
  ...group(0, "rol", rol),
  ...group(1, "ror", ror),
  ...group(2, "rcl", rcl),
  ...group(3, "rcr", rcr),
  ...group(4, "shl", shl),
  ...group(5, "shr", shr),
  // An alias that the SDM does not list; real CPUs execute it as SHL.
  ...group(6, "shl", shl),
  ...group(7, "sar", sar),
  op("0f a4 /r", "shld Ev,Gv,Lb", shld),
  op("0f a5 /r", "shld Ev,Gv,CL", shld),
  op("0f ac /r", "shrd Ev,Gv,Lb", shrd),
  op("0f ad /r", "shrd Ev,Gv,CL", shrd),
  op("vex.128 66 0f 38 f7 /r", "shlx Gy,Ey,By", shlx, BMI2),
  op("vex.128 f3 0f 38 f7 /r", "sarx Gy,Ey,By", sarx, BMI2),
  op("vex.128 f2 0f 38 f7 /r", "shrx Gy,Ey,By", shrx, BMI2),
  op("vex.128 f2 0f 3a f0 /r", "rorx Gy,Ey,Lb", rorx, BMI2),
];
