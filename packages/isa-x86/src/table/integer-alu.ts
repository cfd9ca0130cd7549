// SPDX-License-Identifier: Apache-2.0
import { adc, adcx, add, adox, and, cmp, dec, inc, neg, not, or, sbb, sub, test, xor } from "../semantics/alu.js";
import { aaa, aad, aam, aas, daa, das } from "../semantics/decimal.js";
import { cmpxchg, cmpxchg16b, cmpxchg8b, xadd, xchg } from "../semantics/exchange.js";
import { div, idiv, imul, imulTruncated, mul, mulx } from "../semantics/multiply.js";
import type { Semantics } from "../semantics/semantics.js";
import { type Attributes, type Opcode, op } from "./opcode.js";

const LOCK: Attributes = { lock: true };
const NOT64: Attributes = { only: "not64" };

/** One of the eight operations with the encodings base+0 to base+5 and 80-83 /digit. */
function group(digit: number, name: string, semantics: Semantics, attributes: Attributes = LOCK): Opcode[] {
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
    op(`82 /${digit}`, `${name} Eb,Ib`, semantics, { ...attributes, ...NOT64 }),
    op(`83 /${digit}`, `${name} Ev,Ib`, semantics, attributes),
  ];
}

/** Additions, logic, comparisons, multiplications and divisions. */
export const integerAlu: readonly Opcode[] = [
  ...group(0, "add", add),
  ...group(1, "or", or),
  ...group(2, "adc", adc),
  ...group(3, "sbb", sbb),
  ...group(4, "and", and),
  ...group(5, "sub", sub),
  ...group(6, "xor", xor),
  ...group(7, "cmp", cmp, {}),

  op("40 +r", "inc Zv", inc, NOT64),
  op("48 +r", "dec Zv", dec, NOT64),
  op("fe /0", "inc Eb", inc, LOCK),
  op("fe /1", "dec Eb", dec, LOCK),
  op("ff /0", "inc Ev", inc, LOCK),
  op("ff /1", "dec Ev", dec, LOCK),

  op("84 /r", "test Eb,Gb", test),
  op("85 /r", "test Ev,Gv", test),
  op("a8", "test AL,Ib", test),
  op("a9", "test rAX,Iz", test),
  op("f6 /0", "test Eb,Ib", test),
  op("f6 /1", "test Eb,Ib", test),
  op("f7 /0", "test Ev,Iz", test),
  op("f7 /1", "test Ev,Iz", test),
  op("f6 /2", "not Eb", not, LOCK),
  op("f7 /2", "not Ev", not, LOCK),
  op("f6 /3", "neg Eb", neg, LOCK),
  op("f7 /3", "neg Ev", neg, LOCK),

  op("f6 /4", "mul Eb", mul),
  op("f7 /4", "mul Ev", mul),
  op("f6 /5", "imul Eb", imul),
  op("f7 /5", "imul Ev", imul),
  op("f6 /6", "div Eb", div),
  op("f7 /6", "div Ev", div),
  op("f6 /7", "idiv Eb", idiv),
  op("f7 /7", "idiv Ev", idiv),
  op("0f af /r", "imul Gv,Ev", imulTruncated),
  op("69 /r", "imul Gv,Ev,Iz", imulTruncated),
  op("6b /r", "imul Gv,Ev,Ib", imulTruncated),
  op("vex.128 f2 0f 38 f6 /r", "mulx Gy,By,Ey", mulx, { feature: "BMI2" }),

  op("66 0f 38 f6 /r", "adcx Gy,Ey", adcx, { feature: "ADX" }),
  op("f3 0f 38 f6 /r", "adox Gy,Ey", adox, { feature: "ADX" }),

  op("86 /r", "xchg Eb,Gb", xchg, LOCK),
  op("87 /r", "xchg Ev,Gv", xchg, LOCK),
  op("0f c0 /r", "xadd Eb,Gb", xadd, LOCK),
  op("0f c1 /r", "xadd Ev,Gv", xadd, LOCK),
  op("0f b0 /r", "cmpxchg Eb,Gb", cmpxchg, LOCK),
  op("0f b1 /r", "cmpxchg Ev,Gv", cmpxchg, LOCK),
  op("w1 0f c7 /1 mem", "cmpxchg16b Mx", cmpxchg16b, { lock: true, only: "64", feature: "CX16" }),
  op("0f c7 /1 mem", "cmpxchg8b Mq", cmpxchg8b, LOCK),

  op("27", "daa", daa, NOT64),
  op("2f", "das", das, NOT64),
  op("37", "aaa", aaa, NOT64),
  op("3f", "aas", aas, NOT64),
  op("d4", "aam Lb", aam, NOT64),
  op("d5", "aad Lb", aad, NOT64),
];
