// SPDX-License-Identifier: Apache-2.0
// The D8, DA, DC and DE arithmetic groups, comparisons, and functions of ST(0) or of ST(0) and ST(1) that round once.
import { CPU_FLAG_AUX, CPU_FLAG_RES, CPU_FSW } from "../generated/layout";
import { masks, reportedFlags, IE } from "../float/environment";
import { f80Add, f80Class, f80Compare, f80Div, f80Mul, f80Sqrt } from "../float/float80-arithmetic";
import { f80FromFormat, f80FromInteger, f80Round } from "../float/float80-convert";
import {
  f80ExtractExponent, f80ExtractSignificand, f80Remainder, f80Scale, hasQuotient, quotientBits, reductionIncomplete,
} from "../float/float80-remainder";
import { resultSe, resultSig, INTEGER_BIT } from "../float/float80";
import {
  begin, finish, isEmpty, pending, pop, push, setRegister, setStatus, signExponent, significand,
  underflow, vetoed, C0, C1, C2, C3, STACK_FAULT,
} from "./stack";
import { arithmeticNormal, arithmeticWithNormal, compareNormal, relationNormal } from "./normal";

/** x op y, op being the ModRM.reg field of the D8 group. */
function arithmetic(op: u32, xSig: u64, xSe: u32, ySig: u64, ySe: u32): void {
  switch (op) {
    case 0: f80Add(xSig, xSe, ySig, ySe, 0); break;
    case 1: f80Mul(xSig, xSe, ySig, ySe); break;
    case 4: f80Add(xSig, xSe, ySig, ySe, 1); break;
    case 5: f80Add(ySig, ySe, xSig, xSe, 1); break;
    case 6: f80Div(xSig, xSe, ySig, ySe); break;
    default: f80Div(ySig, ySe, xSig, xSe);
  }
}

/** Condition codes of a comparison's result. */
function relationCodes(relation: u32): u32 {
  return relation == 0 ? C3 : relation == 1 ? C0 : relation == 2 ? 0 : C0 | C2 | C3;
}

/** ST(0) compared with y, then pops. An unmasked exception forbids the pops, but not the condition codes. */
function compareWith(cpu: usize, sig: u64, se: u32, quiet: bool, pops: u32): u32 {
  const relation = f80Compare(significand(cpu, 0), signExponent(cpu, 0), sig, se, quiet);
  const exceptions = reportedFlags();
  setStatus(cpu, exceptions, C0 | C2 | C3, relationCodes(relation));
  if (!vetoed(exceptions)) pop(cpu, pops);
  return 1;
}

/** A comparison misses an operand: unordered. */
function compareUnderflow(cpu: usize, pops: u32): u32 {
  setStatus(cpu, IE | STACK_FAULT, C0 | C2 | C3, C0 | C2 | C3);
  if ((masks & IE) != 0) pop(cpu, pops);
  return 1;
}

/** ST(0) = ST(0) op the value that was just converted to 80 bits. */
function withResult(cpu: usize, op: u32): u32 {
  if ((op & 6) == 2) return compareWith(cpu, resultSig, resultSe, false, op & 1);
  arithmetic(op, significand(cpu, 0), signExponent(cpu, 0), resultSig, resultSe);
  return finish(cpu, 0, 0, 0, 0);
}

function missingOperand(cpu: usize, op: u32): u32 {
  return (op & 6) == 2 ? compareUnderflow(cpu, op & 1) : underflow(cpu, 0, 0);
}

/** D8 /op m32 */
export function x87ArithmeticF32(cpu: usize, op: u32, bits: u32): u32 {
  const exponent = (bits >> 23) & 0xff;
  const sign = (bits >> 16) & 0x8000;
  const significand = (u64(bits) << 40) | INTEGER_BIT;
  if (((exponent + 1) & 0xff) > 1 && arithmeticWithNormal(cpu, op, significand, sign | (exponent + 0x3f80))) return 1;
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0)) return missingOperand(cpu, op);
  f80FromFormat(bits, 23, 8);
  return withResult(cpu, op);
}

/** DC /op m64 */
export function x87ArithmeticF64(cpu: usize, op: u32, bits: u64): u32 {
  const exponent = u32(bits >> 52) & 0x7ff;
  const sign = u32(bits >> 48) & 0x8000;
  const significand = (bits << 11) | INTEGER_BIT;
  if (((exponent + 1) & 0x7ff) > 1 && arithmeticWithNormal(cpu, op, significand, sign | (exponent + 0x3c00))) return 1;
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0)) return missingOperand(cpu, op);
  f80FromFormat(bits, 52, 11);
  return withResult(cpu, op);
}

/** DA /op m32, DE /op m16: value is the sign-extended memory operand. */
export function x87ArithmeticInteger(cpu: usize, op: u32, value: i32): u32 {
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0)) return missingOperand(cpu, op);
  f80FromInteger(value);
  return withResult(cpu, op);
}

/** D8 /op ST(i): ST(0) = ST(0) op ST(i), FCOM and FCOMP included. */
export function x87ArithmeticRegister(cpu: usize, op: u32, i: u32): u32 {
  if ((op & 6) == 2) return x87Compare(cpu, i, false, op & 1);
  if (arithmeticNormal(cpu, op, i, 0, 0)) return 1;
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0) || isEmpty(cpu, i)) return underflow(cpu, 0, 0);
  arithmetic(op, significand(cpu, 0), signExponent(cpu, 0), significand(cpu, i), signExponent(cpu, i));
  return finish(cpu, 0, 0, 0, 0);
}

/** DC /op ST(i), DE /op ST(i): ST(i) = ST(0) op ST(i), then pops. */
export function x87ArithmeticTo(cpu: usize, op: u32, i: u32, pops: u32): u32 {
  if (arithmeticNormal(cpu, op, i, i, pops)) return 1;
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0) || isEmpty(cpu, i)) return underflow(cpu, i, pops);
  arithmetic(op, significand(cpu, 0), signExponent(cpu, 0), significand(cpu, i), signExponent(cpu, i));
  return finish(cpu, i, pops, 0, 0);
}

/** FCOM, FCOMP, FCOMPP, FUCOM, FUCOMP, FUCOMPP */
export function x87Compare(cpu: usize, i: u32, unordered: bool, pops: u32): u32 {
  if (compareNormal(cpu, i, pops)) return 1;
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0) || isEmpty(cpu, i)) return compareUnderflow(cpu, pops);
  return compareWith(cpu, significand(cpu, i), signExponent(cpu, i), unordered, pops);
}

/** FTST */
export function x87Test(cpu: usize): u32 {
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0)) return compareUnderflow(cpu, 0);
  return compareWith(cpu, 0, 0, false, 0);
}

/** Writes ZF, PF, CF of a comparison and clears OF, SF, AF, in the lazy form that cpu-layout.ts describes. */
function setFlags(cpu: usize, relation: u32): void {
  const below = relation == 1 || relation == 3;
  const parity = relation == 0 ? 0x100 : 0;
  store<u64>(cpu + CPU_FLAG_RES, relation == 0 || relation == 3 ? 0 : 1);
  store<u32>(cpu + CPU_FLAG_AUX, (below ? 0xc0000000 : 0) | parity);
}

/** FCOMI, FCOMIP, FUCOMI, FUCOMIP */
export function x87CompareFlags(cpu: usize, i: u32, unordered: bool, pops: u32): u32 {
  const usual = relationNormal(cpu, i);
  if (usual >= 0) {
    setFlags(cpu, usual);
    pop(cpu, pops);
    return 1;
  }
  if (!begin(cpu)) return 0;
  let relation: u32 = 3;
  let exceptions: u32 = IE | STACK_FAULT;
  if (!isEmpty(cpu, 0) && !isEmpty(cpu, i)) {
    relation = f80Compare(
      significand(cpu, 0), signExponent(cpu, 0), significand(cpu, i), signExponent(cpu, i), unordered,
    );
    exceptions = reportedFlags();
  }
  setFlags(cpu, relation);
  if (!vetoed(exceptions)) pop(cpu, pops);
  // Only a stack fault writes C1.
  const code = (exceptions & STACK_FAULT) != 0 ? 0 : load<u16>(cpu + CPU_FSW) & C1;
  setStatus(cpu, exceptions, 0, code);
  return 1;
}

/** FXAM: works on empty registers too; C1 is the sign. */
export function x87Examine(cpu: usize): u32 {
  if (pending(cpu)) return 0;
  const se = signExponent(cpu, 0);
  const kind = isEmpty(cpu, 0) ? 5 : f80Class(significand(cpu, 0), se);
  const codes = ((kind & 1) != 0 ? C0 : 0) | ((kind & 2) != 0 ? C2 : 0) | ((kind & 4) != 0 ? C3 : 0);
  setStatus(cpu, 0, C0 | C2 | C3, codes | (se >> 15 != 0 ? C1 : 0));
  return 1;
}

/** FSQRT */
export function x87SquareRoot(cpu: usize): u32 {
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0)) return underflow(cpu, 0, 0);
  f80Sqrt(significand(cpu, 0), signExponent(cpu, 0));
  return finish(cpu, 0, 0, 0, 0);
}

/** FRNDINT */
export function x87RoundToInteger(cpu: usize): u32 {
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0)) return underflow(cpu, 0, 0);
  f80Round(significand(cpu, 0), signExponent(cpu, 0));
  return finish(cpu, 0, 0, 0, 0);
}

/** FSCALE */
export function x87Scale(cpu: usize): u32 {
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0) || isEmpty(cpu, 1)) return underflow(cpu, 0, 0);
  f80Scale(significand(cpu, 0), signExponent(cpu, 0), significand(cpu, 1), signExponent(cpu, 1));
  return finish(cpu, 0, 0, 0, 0);
}

/** FPREM, FPREM1 (nearest) */
export function x87PartialRemainder(cpu: usize, nearest: bool): u32 {
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0) || isEmpty(cpu, 1)) {
    underflow(cpu, 0, 0);
    setStatus(cpu, 0, C2, 0);
    return 1;
  }
  f80Remainder(significand(cpu, 0), signExponent(cpu, 0), significand(cpu, 1), signExponent(cpu, 1), nearest);
  if (!hasQuotient || vetoed(reportedFlags())) return finish(cpu, 0, 0, C2, 0);
  // C0, C3, C1 are bits 2, 1, 0 of the quotient.
  const q = quotientBits;
  const codes = ((q & 4) != 0 ? C0 : 0) | ((q & 2) != 0 ? C3 : 0) | ((q & 1) != 0 ? C1 : 0);
  return finish(cpu, 0, 0, C0 | C2 | C3, codes | (reductionIncomplete ? C2 : 0));
}

/** FXTRACT: ST(0) becomes the exponent, then the significand is pushed. */
export function x87Extract(cpu: usize): u32 {
  if (!begin(cpu)) return 0;
  const empty = isEmpty(cpu, 0);
  if (empty || !isEmpty(cpu, 7)) {
    if ((masks & IE) != 0) {
      setRegister(cpu, 0, 0xc000000000000000, 0xffff);
      push(cpu, 0xc000000000000000, 0xffff);
    }
    setStatus(cpu, IE | STACK_FAULT, 0, empty ? 0 : C1);
    return 1;
  }
  const sig = significand(cpu, 0);
  const se = signExponent(cpu, 0);
  f80ExtractExponent(sig, se);
  const exceptions = reportedFlags();
  if (!vetoed(exceptions)) {
    setRegister(cpu, 0, resultSig, resultSe);
    f80ExtractSignificand(sig, se);
    push(cpu, resultSig, resultSe);
  }
  setStatus(cpu, exceptions, 0, 0);
  return 1;
}
