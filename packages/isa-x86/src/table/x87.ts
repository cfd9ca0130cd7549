// SPDX-License-Identifier: Apache-2.0
// x87: SDM 2, appendix A.5 (escape opcodes D8 to DF), with the aliases that processors have but the manual leaves out.
import type { Semantics } from "../semantics/semantics.js";
import * as x87 from "../semantics/x87.js";
import { type Attributes, type Opcode, op } from "./opcode.js";

const X87: Attributes = { unit: "x87" };

const fp = (encoding: string, syntax: string, semantics: Semantics): Opcode => op(encoding, syntax, semantics, X87);

/** The eight operations of ModRM.reg in the groups D8, DA, DC and DE. */
const OPERATIONS = ["add", "mul", "com", "comp", "sub", "subr", "div", "divr"] as const;
/** The same when ST(i) is the destination: the assembler's names of the subtractions and divisions are crossed. */
const OPERATIONS_TO = ["add", "mul", "com", "comp", "subr", "sub", "divr", "div"] as const;

const arithmetic: readonly Opcode[] = OPERATIONS.flatMap((name, digit) => [
  fp(`d8 /${digit} mem`, `f${name} Md`, x87.arithmeticMemory(digit, "f32")),
  fp(`dc /${digit} mem`, `f${name} Mq`, x87.arithmeticMemory(digit, "f64")),
  fp(`da /${digit} mem`, `fi${name} Md`, x87.arithmeticMemory(digit, "i32")),
  fp(`de /${digit} mem`, `fi${name} Mw`, x87.arithmeticMemory(digit, "i16")),
  fp(`d8 /${digit} reg`, `f${name} F`, x87.arithmeticRegister(digit)),
]);

const arithmeticTo: readonly Opcode[] = OPERATIONS_TO.flatMap((name, digit) =>
  digit === 2 || digit === 3
    ? []
    : [
        fp(`dc /${digit} reg`, `f${name} F`, x87.arithmeticTo(digit, 0)),
        fp(`de /${digit} reg`, `f${name}p F`, x87.arithmeticTo(digit, 1)),
      ],
);

const loads: readonly Opcode[] = [
  fp("d9 /0 mem", "fld Md", x87.load("f32")),
  fp("dd /0 mem", "fld Mq", x87.load("f64")),
  fp("db /5 mem", "fld Mt", x87.loadF80),
  fp("df /0 mem", "fild Mw", x87.load("i16")),
  fp("db /0 mem", "fild Md", x87.load("i32")),
  fp("df /5 mem", "fild Mq", x87.load("i64")),
  fp("df /4 mem", "fbld Mt", x87.loadBcd),
  fp("d9 /0 reg", "fld F", x87.withRegister("x87LoadRegister")),
  ...["fld1", "fldl2t", "fldl2e", "fldpi", "fldlg2", "fldln2", "fldz"].map((name, n) =>
    fp(`d9 ${(0xe8 + n).toString(16)}`, name, x87.plain("x87LoadConstant", n)),
  ),
];

const stores: readonly Opcode[] = [
  fp("d9 /2 mem", "fst Md", x87.store("x87StoreF32", 4, 0)),
  fp("d9 /3 mem", "fstp Md", x87.store("x87StoreF32", 4, 1)),
  fp("dd /2 mem", "fst Mq", x87.store("x87StoreF64", 8, 0)),
  fp("dd /3 mem", "fstp Mq", x87.store("x87StoreF64", 8, 1)),
  fp("db /7 mem", "fstp Mt", x87.store("x87StoreF80", 10, 1)),
  fp("df /2 mem", "fist Mw", x87.store("x87StoreInteger", 2, 0, 16, 0)),
  fp("df /3 mem", "fistp Mw", x87.store("x87StoreInteger", 2, 1, 16, 0)),
  fp("db /2 mem", "fist Md", x87.store("x87StoreInteger", 4, 0, 32, 0)),
  fp("db /3 mem", "fistp Md", x87.store("x87StoreInteger", 4, 1, 32, 0)),
  fp("df /7 mem", "fistp Mq", x87.store("x87StoreInteger", 8, 1, 64, 0)),
  fp("df /1 mem", "fisttp Mw", x87.store("x87StoreInteger", 2, 1, 16, 1)),
  fp("db /1 mem", "fisttp Md", x87.store("x87StoreInteger", 4, 1, 32, 1)),
  fp("dd /1 mem", "fisttp Mq", x87.store("x87StoreInteger", 8, 1, 64, 1)),
  fp("df /6 mem", "fbstp Mt", x87.store("x87StoreBcd", 10, 1)),
  fp("dd /2 reg", "fst F", x87.withRegister("x87StoreRegister", 0)),
  fp("dd /3 reg", "fstp F", x87.withRegister("x87StoreRegister", 1)),
  fp("df /2 reg", "fstp F", x87.withRegister("x87StoreRegister", 1)),
  fp("df /3 reg", "fstp F", x87.withRegister("x87StoreRegister", 1)),
  fp("d9 /3 reg", "fstp F", x87.withRegister("x87StoreRegisterAlias")),
];

const comparisons: readonly Opcode[] = [
  fp("dc /2 reg", "fcom F", x87.arithmeticRegister(2)),
  fp("dc /3 reg", "fcomp F", x87.arithmeticRegister(3)),
  fp("de /2 reg", "fcomp F", x87.arithmeticRegister(3)),
  fp("de d9", "fcompp", x87.plain("x87Compare", 1, 0, 2)),
  fp("dd /4 reg", "fucom F", x87.withRegister("x87Compare", 1, 0)),
  fp("dd /5 reg", "fucomp F", x87.withRegister("x87Compare", 1, 1)),
  fp("da e9", "fucompp", x87.plain("x87Compare", 1, 1, 2)),
  fp("db /6 reg", "fcomi F", x87.withRegister("x87CompareFlags", 0, 0)),
  fp("db /5 reg", "fucomi F", x87.withRegister("x87CompareFlags", 1, 0)),
  fp("df /6 reg", "fcomip F", x87.withRegister("x87CompareFlags", 0, 1)),
  fp("df /5 reg", "fucomip F", x87.withRegister("x87CompareFlags", 1, 1)),
  fp("d9 e4", "ftst", x87.plain("x87Test")),
  fp("d9 e5", "fxam", x87.plain("x87Examine")),
];

/** FCMOVcc by ModRM.reg; DA has the conditions, DB their negations. */
const CONDITIONS = [
  ["b", 2],
  ["e", 4],
  ["be", 6],
  ["u", 10],
] as const;

const registers: readonly Opcode[] = [
  fp("d9 /1 reg", "fxch F", x87.withRegister("x87Exchange")),
  fp("dd /1 reg", "fxch F", x87.withRegister("x87Exchange")),
  fp("df /1 reg", "fxch F", x87.withRegister("x87Exchange")),
  ...CONDITIONS.flatMap(([name, condition], digit) => [
    fp(`da /${digit} reg`, `fcmov${name} F`, x87.conditionalMove(condition)),
    fp(`db /${digit} reg`, `fcmovn${name} F`, x87.conditionalMove(condition + 1)),
  ]),
  fp("d9 d0", "fnop", x87.plain("x87Wait")),
  fp("d9 e0", "fchs", x87.plain("x87ChangeSign")),
  fp("d9 e1", "fabs", x87.plain("x87Absolute")),
  fp("d9 f6", "fdecstp", x87.plain("x87DecrementTop")),
  fp("d9 f7", "fincstp", x87.plain("x87IncrementTop")),
  fp("dd /0 reg", "ffree F", x87.withRegister("x87Free", 0)),
  fp("df /0 reg", "ffreep F", x87.withRegister("x87Free", 1)),
];

const functions: readonly Opcode[] = [
  fp("d9 f0", "f2xm1", x87.plain("x87Exp2Minus1")),
  fp("d9 f1", "fyl2x", x87.plain("x87YLog2X")),
  fp("d9 f2", "fptan", x87.plain("x87PartialTangent")),
  fp("d9 f3", "fpatan", x87.plain("x87PartialArctangent")),
  fp("d9 f4", "fxtract", x87.plain("x87Extract")),
  fp("d9 f5", "fprem1", x87.plain("x87PartialRemainder", 1)),
  fp("d9 f8", "fprem", x87.plain("x87PartialRemainder", 0)),
  fp("d9 f9", "fyl2xp1", x87.plain("x87YLog2XPlus1")),
  fp("d9 fa", "fsqrt", x87.plain("x87SquareRoot")),
  fp("d9 fb", "fsincos", x87.plain("x87SineCosine")),
  fp("d9 fc", "frndint", x87.plain("x87RoundToInteger")),
  fp("d9 fd", "fscale", x87.plain("x87Scale")),
  fp("d9 fe", "fsin", x87.plain("x87Sine")),
  fp("d9 ff", "fcos", x87.plain("x87Cosine")),
];

const control: readonly Opcode[] = [
  op("9b", "fwait", x87.fwait),
  fp("db e2", "fnclex", x87.control("x87ClearExceptions")),
  fp("db e3", "fninit", x87.control("x87Init")),
  // FENI, FDISI and FSETPM of the 8087 and 80287 do nothing since the 80387.
  fp("db e0", "fneni", () => {}),
  fp("db e1", "fndisi", () => {}),
  fp("db e4", "fnsetpm", () => {}),
  fp("dd /7 mem", "fnstsw Mw", x87.storeWord("x87StatusWord")),
  fp("df e0", "fnstsw AX", x87.storeWord("x87StatusWord")),
  fp("d9 /7 mem", "fnstcw Mw", x87.storeWord("x87ControlWord")),
  fp("d9 /5 mem", "fldcw Mw", x87.loadControlWord),
  fp("d9 /6 mem", "fnstenv Mz", x87.storeEnvironment),
  fp("d9 /4 mem", "fldenv Mz", x87.loadEnvironment),
  fp("dd /6 mem", "fnsave Mz", x87.save),
  fp("dd /4 mem", "frstor Mz", x87.restore),
  op("np 0f ae /0 mem", "fxsave My", x87.fxsave, { unit: "x87", feature: "fxsr" }),
  op("np 0f ae /1 mem", "fxrstor My", x87.fxrstor, { unit: "x87", feature: "fxsr" }),
  op("np 0f 77", "emms", x87.plain("mmxEmpty"), { unit: "mmx" }),
];

export const x87Opcodes: readonly Opcode[] = [
  ...comparisons,
  ...arithmetic,
  ...arithmeticTo,
  ...loads,
  ...stores,
  ...registers,
  ...functions,
  ...control,
];
