// SPDX-License-Identifier: Apache-2.0
// Instructions that move registers about, and the MMX view of them.
import { CPU_FPR, CPU_FP_TAG, CPU_FP_TOP } from "../generated/layout";
import { masks, IE } from "../float/environment";
import { setResult } from "../float/float80";
import {
  begin, finish, isEmpty, moveTop, pending, pop, setEmpty, setRegister, setStatus, signExponent, significand, underflow,
  STACK_FAULT,
} from "./stack";
import { exchangePlain, signPlain } from "./normal";

/** FXCH. An empty register counts as the indefinite when IE is masked. */
export function x87Exchange(cpu: usize, i: u32): u32 {
  if (exchangePlain(cpu, i)) return 1;
  if (!begin(cpu)) return 0;
  let exceptions: u32 = 0;
  if (isEmpty(cpu, 0) || isEmpty(cpu, i)) {
    exceptions = IE | STACK_FAULT;
    if ((masks & IE) != 0) {
      if (isEmpty(cpu, 0)) setRegister(cpu, 0, 0xc000000000000000, 0xffff);
      if (isEmpty(cpu, i)) setRegister(cpu, i, 0xc000000000000000, 0xffff);
    }
  }
  if ((exceptions & ~masks & IE) == 0) {
    const sig = significand(cpu, 0);
    const se = signExponent(cpu, 0);
    setRegister(cpu, 0, significand(cpu, i), signExponent(cpu, i));
    setRegister(cpu, i, sig, se);
  }
  setStatus(cpu, exceptions, 0, 0);
  return 1;
}

/** FCMOVcc. Both registers must hold something, whatever the condition. */
export function x87ConditionalMove(cpu: usize, i: u32, condition: bool): u32 {
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0) || isEmpty(cpu, i)) return underflow(cpu, 0, 0);
  if (condition) setRegister(cpu, 0, significand(cpu, i), signExponent(cpu, i));
  return 1;
}

function withSign(cpu: usize, keep: u32, flip: u32): u32 {
  if (signPlain(cpu, keep, flip)) return 1;
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0)) return underflow(cpu, 0, 0);
  setResult(significand(cpu, 0), (signExponent(cpu, 0) & keep) ^ flip);
  return finish(cpu, 0, 0, 0, 0);
}

/** FCHS */
export function x87ChangeSign(cpu: usize): u32 {
  return withSign(cpu, 0xffff, 0x8000);
}

/** FABS */
export function x87Absolute(cpu: usize): u32 {
  return withSign(cpu, 0x7fff, 0);
}

function rotate(cpu: usize, by: u32): u32 {
  if (pending(cpu)) return 0;
  moveTop(cpu, by);
  setStatus(cpu, 0, 0, 0);
  return 1;
}

/** FDECSTP */
export function x87DecrementTop(cpu: usize): u32 {
  return rotate(cpu, 7);
}

/** FINCSTP */
export function x87IncrementTop(cpu: usize): u32 {
  return rotate(cpu, 1);
}

/** FFREE, FFREEP (pops 1) */
export function x87Free(cpu: usize, i: u32, pops: u32): u32 {
  if (pending(cpu)) return 0;
  setEmpty(cpu, i);
  pop(cpu, pops);
  setStatus(cpu, 0, 0, 0);
  return 1;
}

/** FWAIT, FNOP: only look for a pending exception. */
export function x87Wait(cpu: usize): u32 {
  return u32(!pending(cpu));
}

/** What every MMX instruction but EMMS does to the x87 state (SDM vol. 1, 9.5.1). */
export function mmxEnter(cpu: usize): u32 {
  if (pending(cpu)) return 0;
  store<u32>(cpu + CPU_FP_TOP, 0);
  store<u8>(cpu + CPU_FP_TAG, 0xff);
  return 1;
}

/** Writes MMn. */
export function mmxWrite(cpu: usize, n: u32, value: u64): void {
  const at = cpu + CPU_FPR + (usize(n & 7) << 4);
  store<u64>(at, value);
  store<u16>(at, 0xffff, 8);
}

/** EMMS */
export function mmxEmpty(cpu: usize): u32 {
  if (pending(cpu)) return 0;
  store<u32>(cpu + CPU_FP_TOP, 0);
  store<u8>(cpu + CPU_FP_TAG, 0);
  return 1;
}
