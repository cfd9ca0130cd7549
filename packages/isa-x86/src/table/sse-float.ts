// SPDX-License-Identifier: Apache-2.0
// Floating-point arithmetic, comparison, conversion and rounding on XMM registers.
import * as arithmetic from "../semantics/sse-arithmetic.js";
import * as compare from "../semantics/sse-compare.js";
import * as convert from "../semantics/sse-convert.js";
import { ldmxcsr, roundPacked, roundScalar, stmxcsr } from "../semantics/sse-round.js";
import { type Opcode, op } from "./opcode.js";

const SSE = { unit: "sse" } as const;
const SSE3 = { unit: "sse", feature: "SSE3" } as const;
const SSE41 = { unit: "sse", feature: "SSE4.1" } as const;

/** The PS, PD, SS and SD forms of one operation. */
function fourForms(code: string, name: string, operation: arithmetic.FloatOperation): Opcode[] {
  return [
    op(`np 0f ${code} /r`, `${name}ps Vx,Wx`, arithmetic.packedFloat(operation, 32), SSE),
    op(`66 0f ${code} /r`, `${name}pd Vx,Wx`, arithmetic.packedFloat(operation, 64), SSE),
    op(`f3 0f ${code} /r`, `${name}ss Vd,Wd`, arithmetic.scalarFloat(operation, 32), SSE),
    op(`f2 0f ${code} /r`, `${name}sd Vq,Wq`, arithmetic.scalarFloat(operation, 64), SSE),
  ];
}

export const sseFloat: readonly Opcode[] = [
  op("np 0f 51 /r", "sqrtps Vx,Wx", arithmetic.packedSquareRoot(32), SSE),
  op("66 0f 51 /r", "sqrtpd Vx,Wx", arithmetic.packedSquareRoot(64), SSE),
  op("f3 0f 51 /r", "sqrtss Vd,Wd", arithmetic.scalarFloat(arithmetic.sqrt, 32), SSE),
  op("f2 0f 51 /r", "sqrtsd Vq,Wq", arithmetic.scalarFloat(arithmetic.sqrt, 64), SSE),
  ...fourForms("58", "add", arithmetic.add),
  ...fourForms("59", "mul", arithmetic.mul),
  ...fourForms("5c", "sub", arithmetic.sub),
  ...fourForms("5d", "min", arithmetic.min),
  ...fourForms("5e", "div", arithmetic.div),
  ...fourForms("5f", "max", arithmetic.max),
  op("np 0f 52 /r", "rsqrtps Vx,Wx", arithmetic.packedEstimate("reciprocalSqrtF32"), SSE),
  op("f3 0f 52 /r", "rsqrtss Vd,Wd", arithmetic.scalarEstimate("reciprocalSqrtF32"), SSE),
  op("np 0f 53 /r", "rcpps Vx,Wx", arithmetic.packedEstimate("reciprocalF32"), SSE),
  op("f3 0f 53 /r", "rcpss Vd,Wd", arithmetic.scalarEstimate("reciprocalF32"), SSE),
  op("66 0f 7c /r", "haddpd Vx,Wx", arithmetic.horizontalFloat(arithmetic.add, 64), SSE3),
  op("f2 0f 7c /r", "haddps Vx,Wx", arithmetic.horizontalFloat(arithmetic.add, 32), SSE3),
  op("66 0f 7d /r", "hsubpd Vx,Wx", arithmetic.horizontalFloat(arithmetic.sub, 64), SSE3),
  op("f2 0f 7d /r", "hsubps Vx,Wx", arithmetic.horizontalFloat(arithmetic.sub, 32), SSE3),
  op("66 0f d0 /r", "addsubpd Vx,Wx", arithmetic.packedFloat(arithmetic.addsub, 64), SSE3),
  op("f2 0f d0 /r", "addsubps Vx,Wx", arithmetic.packedFloat(arithmetic.addsub, 32), SSE3),
  op("66 0f 3a 40 /r", "dpps Vx,Wx,Lb", arithmetic.dotProduct(32), SSE41),
  op("66 0f 3a 41 /r", "dppd Vx,Wx,Lb", arithmetic.dotProduct(64), SSE41),

  op("np 0f c2 /r", "cmpps Vx,Wx,Lb", compare.comparePacked(32), SSE),
  op("66 0f c2 /r", "cmppd Vx,Wx,Lb", compare.comparePacked(64), SSE),
  op("f3 0f c2 /r", "cmpss Vd,Wd,Lb", compare.compareScalar(32), SSE),
  op("f2 0f c2 /r", "cmpsd Vq,Wq,Lb", compare.compareScalar(64), SSE),
  op("np 0f 2e /r", "ucomiss Vd,Wd", compare.compareToFlags(32, true), SSE),
  op("66 0f 2e /r", "ucomisd Vq,Wq", compare.compareToFlags(64, true), SSE),
  op("np 0f 2f /r", "comiss Vd,Wd", compare.compareToFlags(32, false), SSE),
  op("66 0f 2f /r", "comisd Vq,Wq", compare.compareToFlags(64, false), SSE),
  op("66 0f 38 17 /r", "ptest Vx,Wx", compare.ptest, SSE41),

  op("np 0f 2a /r", "cvtpi2ps Vx,Qq", convert.integersToSinglesMmx, SSE),
  op("66 0f 2a /r", "cvtpi2pd Vx,Qq", convert.integersToDoublesMmx, SSE),
  op("f3 0f 2a /r", "cvtsi2ss Vd,Ey", convert.integerToScalar(32), SSE),
  op("f2 0f 2a /r", "cvtsi2sd Vq,Ey", convert.integerToScalar(64), SSE),
  op("np 0f 2c /r", "cvttps2pi Pq,Wq", convert.toIntegersMmx(32, true), SSE),
  op("66 0f 2c /r", "cvttpd2pi Pq,Wx", convert.toIntegersMmx(64, true), SSE),
  op("f3 0f 2c /r", "cvttss2si Gy,Wd", convert.scalarToInteger(32, true), SSE),
  op("f2 0f 2c /r", "cvttsd2si Gy,Wq", convert.scalarToInteger(64, true), SSE),
  op("np 0f 2d /r", "cvtps2pi Pq,Wq", convert.toIntegersMmx(32, false), SSE),
  op("66 0f 2d /r", "cvtpd2pi Pq,Wx", convert.toIntegersMmx(64, false), SSE),
  op("f3 0f 2d /r", "cvtss2si Gy,Wd", convert.scalarToInteger(32, false), SSE),
  op("f2 0f 2d /r", "cvtsd2si Gy,Wq", convert.scalarToInteger(64, false), SSE),
  op("np 0f 5a /r", "cvtps2pd Vx,Wq", convert.packedSinglesToDoubles, SSE),
  op("66 0f 5a /r", "cvtpd2ps Vx,Wx", convert.packedDoublesToSingles, SSE),
  op("f3 0f 5a /r", "cvtss2sd Vq,Wd", convert.singleToDouble, SSE),
  op("f2 0f 5a /r", "cvtsd2ss Vd,Wq", convert.doubleToSingle, SSE),
  op("np 0f 5b /r", "cvtdq2ps Vx,Wx", convert.packedIntegersToSingles, SSE),
  op("66 0f 5b /r", "cvtps2dq Vx,Wx", convert.packedToIntegers(32, false), SSE),
  op("f3 0f 5b /r", "cvttps2dq Vx,Wx", convert.packedToIntegers(32, true), SSE),
  op("66 0f e6 /r", "cvttpd2dq Vx,Wx", convert.packedToIntegers(64, true), SSE),
  op("f3 0f e6 /r", "cvtdq2pd Vx,Wq", convert.packedIntegersToDoubles, SSE),
  op("f2 0f e6 /r", "cvtpd2dq Vx,Wx", convert.packedToIntegers(64, false), SSE),

  op("66 0f 3a 08 /r", "roundps Vx,Wx,Lb", roundPacked(32), SSE41),
  op("66 0f 3a 09 /r", "roundpd Vx,Wx,Lb", roundPacked(64), SSE41),
  op("66 0f 3a 0a /r", "roundss Vd,Wd,Lb", roundScalar(32), SSE41),
  op("66 0f 3a 0b /r", "roundsd Vq,Wq,Lb", roundScalar(64), SSE41),

  op("np 0f ae /2 mem", "ldmxcsr Md", ldmxcsr, SSE),
  op("np 0f ae /3 mem", "stmxcsr Md", stmxcsr, SSE),
];
