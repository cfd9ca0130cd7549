// SPDX-License-Identifier: Apache-2.0
// The x87 register stack in the CPU record, and how every x87 instruction starts and ends (SDM vol. 1, 8.1 and 8.5).
import {
  CPU_FAULT, CPU_FCW, CPU_FPR, CPU_FP_TAG, CPU_FP_TOP, CPU_FSW, CPU_SCRATCH,
} from "../generated/layout";
import { masks, reportedFlags, roundedUp, setFromFcw, DE, IE, PE, ZE } from "../float/environment";
import { resultSe, resultSig, setOperandDenormal } from "../float/float80";

export const C0: u32 = 0x0100;
export const C1: u32 = 0x0200;
export const C2: u32 = 0x0400;
export const C3: u32 = 0x4000;
export const STACK_FAULT: u32 = 0x40;
/** ES and B */
const SUMMARY: u32 = 0x8080;
const MATH_FAULT: u32 = 1 + 16;
/** Where a store keeps the status word until x87StoreDone. */
export const STAGED_STATUS: usize = CPU_SCRATCH + 128;

/** Raises #MF if an earlier instruction left an unmasked exception. */
export function pending(cpu: usize): bool {
  if ((load<u16>(cpu + CPU_FSW) & 0x80) == 0) return false;
  store<u32>(cpu + CPU_FAULT, MATH_FAULT);
  return true;
}

/** Start of a waiting instruction that computes: false when a pending exception comes first. */
export function begin(cpu: usize): bool {
  if (pending(cpu)) return false;
  setFromFcw(load<u16>(cpu + CPU_FCW));
  setOperandDenormal(false);
  return true;
}

export function physical(cpu: usize, i: u32): u32 {
  return (load<u32>(cpu + CPU_FP_TOP) + i) & 7;
}

export function register(cpu: usize, i: u32): usize {
  return cpu + CPU_FPR + (usize(physical(cpu, i)) << 4);
}

export function significand(cpu: usize, i: u32): u64 {
  return load<u64>(register(cpu, i));
}

export function signExponent(cpu: usize, i: u32): u32 {
  return load<u16>(register(cpu, i), 8);
}

export function setRegister(cpu: usize, i: u32, sig: u64, se: u32): void {
  const at = register(cpu, i);
  store<u64>(at, sig);
  store<u16>(at, u16(se), 8);
  store<u8>(cpu + CPU_FP_TAG, u8(u32(load<u8>(cpu + CPU_FP_TAG)) | (<u32>1 << physical(cpu, i))));
}

export function isEmpty(cpu: usize, i: u32): bool {
  return ((u32(load<u8>(cpu + CPU_FP_TAG)) >> physical(cpu, i)) & 1) == 0;
}

export function setEmpty(cpu: usize, i: u32): void {
  store<u8>(cpu + CPU_FP_TAG, u8(u32(load<u8>(cpu + CPU_FP_TAG)) & ~(<u32>1 << physical(cpu, i))));
}

export function moveTop(cpu: usize, by: u32): void {
  store<u32>(cpu + CPU_FP_TOP, physical(cpu, by));
}

export function pop(cpu: usize, pops: u32): void {
  for (; pops != 0; pops--) {
    setEmpty(cpu, 0);
    moveTop(cpu, 1);
  }
}

/** The status word after `exceptions` (and STACK_FAULT) were raised; the condition codes in `mask` get `codes`. */
function statusAfter(cpu: usize, exceptions: u32, mask: u32, codes: u32): u32 {
  const status = (load<u16>(cpu + CPU_FSW) & ~(mask | C1)) | codes | exceptions;
  return (status & ~load<u16>(cpu + CPU_FCW) & 0x3f) != 0 ? status | SUMMARY : status;
}

export function setStatus(cpu: usize, exceptions: u32, mask: u32, codes: u32): void {
  store<u16>(cpu + CPU_FSW, u16(statusAfter(cpu, exceptions, mask, codes)));
}

/** Keeps the status word for x87StoreDone. */
export function stageStatus(cpu: usize, exceptions: u32, codes: u32): void {
  store<u16>(cpu + STAGED_STATUS, u16(statusAfter(cpu, exceptions, 0, codes)));
}

export function commitStatus(cpu: usize): void {
  store<u16>(cpu + CPU_FSW, load<u16>(cpu + STAGED_STATUS));
}

/** C1 as the last rounding leaves it. */
export function roundingCode(exceptions: u32): u32 {
  return roundedUp && (exceptions & PE) != 0 ? C1 : 0;
}

/** An unmasked exception of the operands forbids any result (SDM vol. 1, 8.5.1 to 8.5.3). */
export function vetoed(exceptions: u32): bool {
  return (exceptions & ~masks & (IE | DE | ZE)) != 0;
}

/** Ends an instruction with the result in ST(i), then pops. The condition codes in `mask` get `codes`. */
export function finish(cpu: usize, i: u32, pops: u32, mask: u32, codes: u32): u32 {
  const exceptions = reportedFlags();
  if (!vetoed(exceptions)) {
    setRegister(cpu, i, resultSig, resultSe);
    pop(cpu, pops);
  }
  setStatus(cpu, exceptions, mask, codes | roundingCode(exceptions));
  return 1;
}

/**
 * Ends a load by pushing the result; the caller has looked for a free register. Unlike arithmetic, a load completes
 * when it meets a denormal, even with that exception unmasked.
 */
export function finishPush(cpu: usize): u32 {
  const exceptions = reportedFlags();
  if ((exceptions & ~masks & IE) == 0) push(cpu, resultSig, resultSe);
  setStatus(cpu, exceptions, 0, 0);
  return 1;
}

export function push(cpu: usize, sig: u64, se: u32): void {
  moveTop(cpu, 7);
  setRegister(cpu, 0, sig, se);
}

/** An operand is missing: IE, SF, C1 = 0; the masked result is the indefinite in ST(i). */
export function underflow(cpu: usize, i: u32, pops: u32): u32 {
  if ((masks & IE) != 0) {
    setRegister(cpu, i, 0xc000000000000000, 0xffff);
    pop(cpu, pops);
  }
  setStatus(cpu, IE | STACK_FAULT, 0, 0);
  return 1;
}

/** As underflow, for an instruction that pushes. */
export function underflowPush(cpu: usize): u32 {
  if ((masks & IE) != 0) push(cpu, 0xc000000000000000, 0xffff);
  setStatus(cpu, IE | STACK_FAULT, 0, 0);
  return 1;
}

/** No register is free for a push: IE, SF, C1 = 1; the masked result is the indefinite. */
export function overflow(cpu: usize): u32 {
  if ((masks & IE) != 0) push(cpu, 0xc000000000000000, 0xffff);
  setStatus(cpu, IE | STACK_FAULT, 0, C1);
  return 1;
}
