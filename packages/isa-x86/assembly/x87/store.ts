// SPDX-License-Identifier: Apache-2.0
// FST, FSTP, FIST, FISTP, FISTTP and FBSTP. A store to memory computes first and changes the stack and FSW only in
// x87StoreDone, once the guest's memory has taken the value.
import { CPU_SCRATCH } from "../generated/layout";
import { masks, reportedFlags, setRounding, IE, OE, PE, UE, ZERO } from "../float/environment";
import { f80ToBcd, f80ToFormat, f80ToInteger } from "../float/float80-convert";
import { setResult } from "../float/float80";
import {
  begin, commitStatus, finish, isEmpty, pop, roundingCode, setStatus, signExponent, significand, stageStatus, underflow,
  STACK_FAULT,
} from "./stack";
import { copyPlain, storeIntegerNormal, storeNormal } from "./normal";

/** Ends the first step: 1 when the value at CPU_SCRATCH is to be stored, else the instruction is complete. */
function staged(cpu: usize, exceptions: u32): u32 {
  stageStatus(cpu, exceptions, roundingCode(exceptions));
  if ((exceptions & ~masks & (IE | OE | UE)) == 0) return 1;
  commitStatus(cpu);
  return 0;
}

function storeFormat(cpu: usize, F: i32, X: i32): u32 {
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0)) {
    store<u64>(cpu + CPU_SCRATCH, F == 23 ? 0xffc00000 : 0xfff8000000000000);
    return staged(cpu, IE | STACK_FAULT);
  }
  store<u64>(cpu + CPU_SCRATCH, f80ToFormat(significand(cpu, 0), signExponent(cpu, 0), F, X));
  const exceptions = reportedFlags();
  // An unmasked overflow or underflow stores nothing, and then nothing is inexact.
  return staged(cpu, (exceptions & ~masks & (OE | UE)) != 0 ? exceptions & ~PE : exceptions);
}

/** FST m32: 4 bytes at CPU_SCRATCH. */
export function x87StoreF32(cpu: usize): u32 {
  return storeNormal(cpu, 23, 127) ? 1 : storeFormat(cpu, 23, 8);
}

/** FST m64: 8 bytes at CPU_SCRATCH. */
export function x87StoreF64(cpu: usize): u32 {
  return storeNormal(cpu, 52, 1023) ? 1 : storeFormat(cpu, 52, 11);
}

/** FSTP m80: 10 bytes at CPU_SCRATCH, without exceptions but that of an empty stack. */
export function x87StoreF80(cpu: usize): u32 {
  if (!begin(cpu)) return 0;
  const empty = isEmpty(cpu, 0);
  store<u64>(cpu + CPU_SCRATCH, empty ? 0xc000000000000000 : significand(cpu, 0));
  store<u16>(cpu + CPU_SCRATCH, empty ? 0xffff : u16(signExponent(cpu, 0)), 8);
  return staged(cpu, empty ? IE | STACK_FAULT : 0);
}

/** FIST, FISTTP: the integer of `bits` bits, sign-extended to 8 bytes, at CPU_SCRATCH. */
export function x87StoreInteger(cpu: usize, bits: u32, truncate: bool): u32 {
  if (storeIntegerNormal(cpu, i32(bits), truncate)) return 1;
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0)) {
    store<i64>(cpu + CPU_SCRATCH, <i64>-1 << (bits - 1));
    return staged(cpu, IE | STACK_FAULT);
  }
  if (truncate) setRounding(ZERO);
  store<i64>(cpu + CPU_SCRATCH, f80ToInteger(significand(cpu, 0), signExponent(cpu, 0), i32(bits)));
  return staged(cpu, reportedFlags());
}

/** FBSTP: 10 bytes at CPU_SCRATCH. */
export function x87StoreBcd(cpu: usize): u32 {
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0)) {
    store<u64>(cpu + CPU_SCRATCH, 0xc000000000000000);
    store<u16>(cpu + CPU_SCRATCH, 0xffff, 8);
    return staged(cpu, IE | STACK_FAULT);
  }
  f80ToBcd(significand(cpu, 0), signExponent(cpu, 0), cpu + CPU_SCRATCH);
  return staged(cpu, reportedFlags());
}

/** Second step of a store to memory. */
export function x87StoreDone(cpu: usize, pops: u32): void {
  commitStatus(cpu);
  pop(cpu, pops);
}

/** FST ST(i), FSTP ST(i): a copy of any pattern. */
export function x87StoreRegister(cpu: usize, i: u32, pops: u32): u32 {
  if (copyPlain(cpu, i, pops)) return 1;
  if (!begin(cpu)) return 0;
  if (isEmpty(cpu, 0)) return underflow(cpu, i, pops);
  setResult(significand(cpu, 0), signExponent(cpu, 0));
  return finish(cpu, i, pops, 0, 0);
}

/** The alias of FSTP at D9 D8+i: an empty ST(0) is popped without a fault, and nothing is copied. */
export function x87StoreRegisterAlias(cpu: usize, i: u32): u32 {
  if (!begin(cpu)) return 0;
  if (!isEmpty(cpu, 0)) return x87StoreRegister(cpu, i, 1);
  pop(cpu, 1);
  setStatus(cpu, 0, 0, 0);
  return 1;
}
