// SPDX-License-Identifier: Apache-2.0
// Instructions that push a value: FLD, FILD, FBLD and the constants.
import { CPU_SCRATCH } from "../generated/layout";
import { raise, rounding, DE, DOWN, UP, ZERO } from "../float/environment";
import { f80FromBcd, f80FromFormat, f80FromInteger } from "../float/float80-convert";
import { isNaN80, operandDenormal, propagateOne80, resultSe, resultSig, setResult, INTEGER_BIT } from "../float/float80";
import { begin, finishPush, isEmpty, overflow, signExponent, significand, underflowPush } from "./stack";
import { pushPlain, pushRegister } from "./normal";

function loadFormat(cpu: usize, bits: u64, F: i32, X: i32): u32 {
  if (!begin(cpu)) return 0;
  if (!isEmpty(cpu, 7)) return overflow(cpu);
  f80FromFormat(bits, F, X);
  if (isNaN80(resultSig, resultSe)) propagateOne80(resultSig, resultSe);
  else if (operandDenormal) raise(DE);
  return finishPush(cpu);
}

/** FLD m32 */
export function x87LoadF32(cpu: usize, bits: u32): u32 {
  const exponent = (bits >> 23) & 0xff;
  const sign = (bits >> 16) & 0x8000;
  // Normal numbers.
  if (((exponent + 1) & 0xff) > 1) {
    if (pushPlain(cpu, (u64(bits) << 40) | INTEGER_BIT, sign | (exponent + 0x3f80))) return 1;
  } else if (bits << 1 == 0 && pushPlain(cpu, 0, sign)) return 1;
  return loadFormat(cpu, bits, 23, 8);
}

/** FLD m64 */
export function x87LoadF64(cpu: usize, bits: u64): u32 {
  const exponent = u32(bits >> 52) & 0x7ff;
  const sign = u32(bits >> 48) & 0x8000;
  if (((exponent + 1) & 0x7ff) > 1) {
    if (pushPlain(cpu, (bits << 11) | INTEGER_BIT, sign | (exponent + 0x3c00))) return 1;
  } else if (bits << 1 == 0 && pushPlain(cpu, 0, sign)) return 1;
  return loadFormat(cpu, bits, 52, 11);
}

/** FLD m80: any pattern, unchanged, without exceptions. */
export function x87LoadF80(cpu: usize, sig: u64, se: u32): u32 {
  if (pushPlain(cpu, sig, se)) return 1;
  if (!begin(cpu)) return 0;
  if (!isEmpty(cpu, 7)) return overflow(cpu);
  setResult(sig, se);
  return finishPush(cpu);
}

/** FILD: value is the sign-extended memory operand. */
export function x87LoadInteger(cpu: usize, value: i64): u32 {
  if (value != 0) {
    const magnitude: u64 = value < 0 ? -value : value;
    const shift = clz(magnitude);
    if (pushPlain(cpu, magnitude << shift, (u32(value < 0) << 15) | (0x403e - u32(shift)))) return 1;
  } else if (pushPlain(cpu, 0, 0)) return 1;
  if (!begin(cpu)) return 0;
  if (!isEmpty(cpu, 7)) return overflow(cpu);
  f80FromInteger(value);
  return finishPush(cpu);
}

/** FBLD: 10 bytes at CPU_SCRATCH. */
export function x87LoadBcd(cpu: usize): u32 {
  if (!begin(cpu)) return 0;
  if (!isEmpty(cpu, 7)) return overflow(cpu);
  f80FromBcd(cpu + CPU_SCRATCH);
  return finishPush(cpu);
}

/** FLD ST(i) */
export function x87LoadRegister(cpu: usize, i: u32): u32 {
  if (pushRegister(cpu, i)) return 1;
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, i)) return underflowPush(cpu);
  if (!isEmpty(cpu, 7)) return overflow(cpu);
  setResult(significand(cpu, i), signExponent(cpu, i));
  return finishPush(cpu);
}

/**
 * FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ (n = 0 to 6). The processor keeps the constants with more than 64
 * bits and rounds them by FCW.RC, without raising PE (SDM vol. 1, 8.3.8).
 */
export function x87LoadConstant(cpu: usize, n: u32): u32 {
  // 1 and 0 are exact.
  if (n == 0 ? pushPlain(cpu, INTEGER_BIT, 0x3fff) : n == 6 && pushPlain(cpu, 0, 0)) return 1;
  if (!begin(cpu)) return 0;
  if (!isEmpty(cpu, 7)) return overflow(cpu);
  const truncated = u64(rounding == DOWN || rounding == ZERO);
  switch (n) {
    case 0: setResult(0x8000000000000000, 0x3fff); break;
    case 1: setResult(0xd49a784bcd1b8afe + u64(rounding == UP), 0x4000); break;
    case 2: setResult(0xb8aa3b295c17f0bc - truncated, 0x3fff); break;
    case 3: setResult(0xc90fdaa22168c235 - truncated, 0x4000); break;
    case 4: setResult(0x9a209a84fbcff799 - truncated, 0x3ffd); break;
    case 5: setResult(0xb17217f7d1cf79ac - truncated, 0x3ffe); break;
    default: setResult(0, 0);
  }
  return finishPush(cpu);
}
