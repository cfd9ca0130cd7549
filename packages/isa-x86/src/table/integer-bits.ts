// SPDX-License-Identifier: Apache-2.0
import { andn, bextr, blsi, blsmsk, blsr, bzhi, pdep, pext } from "../semantics/bit-manipulation.js";
import { bsf, bsr, bt, btc, btr, bts, crc32, lzcnt, popcnt, tzcnt } from "../semantics/bits.js";
import type { Semantics } from "../semantics/semantics.js";
import { type Attributes, type Opcode, op } from "./opcode.js";

const BMI1: Attributes = { feature: "BMI1" };
const BMI2: Attributes = { feature: "BMI2" };
const SSE42: Attributes = { feature: "SSE4.2" };

/** The model decides how a bit string's address wraps. */
function bitTest(digit: number, opcode: string, name: string, semantics: Semantics, attributes: Attributes): Opcode[] {
  return [
    op(`0f ${opcode} /r`, `${name} Ev,Gv`, semantics, { ...attributes, model: true }),
    op(`0f ba /${digit}`, `${name} Ev,Lb`, semantics, attributes),
  ];
}

/** Single bits, bit scans and counts, BMI. */
export const integerBits: readonly Opcode[] = [
  ...bitTest(4, "a3", "bt", bt, {}),
  ...bitTest(5, "ab", "bts", bts, { lock: true }),
  ...bitTest(6, "b3", "btr", btr, { lock: true }),
  ...bitTest(7, "bb", "btc", btc, { lock: true }),
  op("f3 0f b8 /r", "popcnt Gv,Ev", popcnt, { feature: "POPCNT" }),
  op("f3 0f bc /r", "tzcnt Gv,Ev", tzcnt, BMI1),
  op("f3 0f bd /r", "lzcnt Gv,Ev", lzcnt, { feature: "LZCNT" }),
  op("0f bc /r", "bsf Gv,Ev", bsf),
  op("0f bd /r", "bsr Gv,Ev", bsr),
  op("f2 0f 38 f0 /r", "crc32 Gy,Eb", crc32, SSE42),
  op("f2 0f 38 f1 /r", "crc32 Gy,Ev", crc32, SSE42),

  op("vex.128 np 0f 38 f2 /r", "andn Gy,By,Ey", andn, BMI1),
  op("vex.128 np 0f 38 f3 /1", "blsr By,Ey", blsr, BMI1),
  op("vex.128 np 0f 38 f3 /2", "blsmsk By,Ey", blsmsk, BMI1),
  op("vex.128 np 0f 38 f3 /3", "blsi By,Ey", blsi, BMI1),
  op("vex.128 np 0f 38 f7 /r", "bextr Gy,Ey,By", bextr, BMI1),
  op("vex.128 np 0f 38 f5 /r", "bzhi Gy,Ey,By", bzhi, BMI2),
  op("vex.128 f2 0f 38 f5 /r", "pdep Gy,By,Ey", pdep, BMI2),
  op("vex.128 f3 0f 38 f5 /r", "pext Gy,By,Ey", pext, BMI2),
];
