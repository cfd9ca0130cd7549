// SPDX-License-Identifier: Apache-2.0
// The transcendental instructions (SDM vol. 1, 8.3.7 to 8.3.10). Results are rounded to 64 bits whatever FCW.PC says.
import { f80Arctangent } from "../float/arctangent";
import { masks, reportedFlags, setRoundedUp, IE } from "../float/environment";
import { resultSe, resultSig } from "../float/float80";
import { f80Exp2Minus1, f80YLog2X, f80YLog2XPlus1 } from "../float/logarithm";
import { f80Cosine, f80Sine, f80Tangent, outOfRange } from "../float/trigonometric";
import {
  begin, finish, isEmpty, push, roundingCode, setRegister, setStatus, signExponent, significand, underflow, vetoed, C1,
  C2, STACK_FAULT,
} from "./stack";

/** F2XM1 */
export function x87Exp2Minus1(cpu: usize): u32 {
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0)) return underflow(cpu, 0, 0);
  f80Exp2Minus1(significand(cpu, 0), signExponent(cpu, 0));
  return finish(cpu, 0, 0, 0, 0);
}

/** FYL2X: ST(1) = ST(1) * log2(ST(0)), then pops. */
export function x87YLog2X(cpu: usize): u32 {
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0) || isEmpty(cpu, 1)) return underflow(cpu, 1, 1);
  f80YLog2X(significand(cpu, 1), signExponent(cpu, 1), significand(cpu, 0), signExponent(cpu, 0));
  return finish(cpu, 1, 1, 0, 0);
}

/** FYL2XP1: ST(1) = ST(1) * log2(ST(0) + 1), then pops. */
export function x87YLog2XPlus1(cpu: usize): u32 {
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0) || isEmpty(cpu, 1)) return underflow(cpu, 1, 1);
  f80YLog2XPlus1(significand(cpu, 1), signExponent(cpu, 1), significand(cpu, 0), signExponent(cpu, 0));
  return finish(cpu, 1, 1, 0, 0);
}

/** FPATAN: ST(1) = arctan(ST(1) / ST(0)), then pops. */
export function x87PartialArctangent(cpu: usize): u32 {
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0) || isEmpty(cpu, 1)) return underflow(cpu, 1, 1);
  f80Arctangent(significand(cpu, 1), signExponent(cpu, 1), significand(cpu, 0), signExponent(cpu, 0));
  return finish(cpu, 1, 1, 0, 0);
}

/** The argument in ST(0) cannot be reduced: C2 tells so. */
function tooLarge(cpu: usize): u32 {
  setStatus(cpu, 0, C2, C2);
  return 1;
}

/** A missing operand clears C2 too. */
function missing(cpu: usize): u32 {
  underflow(cpu, 0, 0);
  setStatus(cpu, 0, C2, 0);
  return 1;
}

/** FSIN */
export function x87Sine(cpu: usize): u32 {
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0)) return missing(cpu);
  if (outOfRange(significand(cpu, 0), signExponent(cpu, 0))) return tooLarge(cpu);
  f80Sine(significand(cpu, 0), signExponent(cpu, 0));
  return finish(cpu, 0, 0, C2, 0);
}

/** FCOS */
export function x87Cosine(cpu: usize): u32 {
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0)) return missing(cpu);
  if (outOfRange(significand(cpu, 0), signExponent(cpu, 0))) return tooLarge(cpu);
  f80Cosine(significand(cpu, 0), signExponent(cpu, 0));
  return finish(cpu, 0, 0, C2, 0);
}

/** An instruction that replaces ST(0) and pushes misses its operand or its room: both results are the indefinite. */
function stackFaultOfTwo(cpu: usize, code: u32): u32 {
  if ((masks & IE) != 0) {
    setRegister(cpu, 0, 0xc000000000000000, 0xffff);
    push(cpu, 0xc000000000000000, 0xffff);
  }
  setStatus(cpu, IE | STACK_FAULT, C2, code);
  return 1;
}

/** FSINCOS: ST(0) becomes the sine, then the cosine is pushed. */
export function x87SineCosine(cpu: usize): u32 {
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0)) return stackFaultOfTwo(cpu, 0);
  if (!isEmpty(cpu, 7)) return stackFaultOfTwo(cpu, C1);
  const sig = significand(cpu, 0);
  const se = signExponent(cpu, 0);
  if (outOfRange(sig, se)) return tooLarge(cpu);
  f80Sine(sig, se);
  const sineSig = resultSig;
  const sineSe = resultSe;
  setRoundedUp(false);
  f80Cosine(sig, se);
  const exceptions = reportedFlags();
  if (!vetoed(exceptions)) {
    setRegister(cpu, 0, sineSig, sineSe);
    push(cpu, resultSig, resultSe);
  }
  setStatus(cpu, exceptions, C2, roundingCode(exceptions));
  return 1;
}

/** FPTAN: ST(0) becomes the tangent, then 1 is pushed. */
export function x87PartialTangent(cpu: usize): u32 {
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0)) return stackFaultOfTwo(cpu, 0);
  if (!isEmpty(cpu, 7)) return stackFaultOfTwo(cpu, C1);
  const sig = significand(cpu, 0);
  const se = signExponent(cpu, 0);
  if (outOfRange(sig, se)) return tooLarge(cpu);
  f80Tangent(sig, se);
  const exceptions = reportedFlags();
  if (!vetoed(exceptions)) {
    const number = (resultSe & 0x7fff) != 0x7fff;
    setRegister(cpu, 0, resultSig, resultSe);
    push(cpu, number ? 0x8000000000000000 : resultSig, number ? 0x3fff : resultSe);
  }
  setStatus(cpu, exceptions, C2, roundingCode(exceptions));
  return 1;
}
