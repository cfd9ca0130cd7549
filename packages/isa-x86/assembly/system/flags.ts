// SPDX-License-Identifier: Apache-2.0
// EFLAGS as a whole. The six arithmetic flags are kept lazily: the form is described in cpu-layout.ts.
import {
  CPU_CPL,
  CPU_CR4,
  CPU_EFLAGS,
  CPU_EVENT,
  CPU_FLAG_AUX,
  CPU_FLAG_RES,
  CPU_INTERRUPT_PENDING,
  CPU_INTERRUPT_SHADOW,
} from "../generated/layout";
import {
  ALL_FLAGS,
  ARITHMETIC_FLAGS,
  CR4_PVI,
  CR4_VME,
  FLAG_AC,
  FLAG_DF,
  FLAG_ID,
  FLAG_IF,
  FLAG_IOPL,
  FLAG_NT,
  FLAG_RF,
  FLAG_TF,
  FLAG_VIF,
  FLAG_VIP,
  FLAG_VM,
  FLAG_ZF,
  VECTOR_GP,
} from "./bits";
import { updateMode } from "./mode";
import { isProtected, isVirtual8086, raise } from "./segment";
import { SHADOW_STI } from "./segment-load";

/** `CPU_EVENT` while the run loop must look for an interrupt or a request. */
export const EVENT_PENDING: u32 = 0x8000_0000;
/** Flags that decide how code runs; see updateMode. */
const MODE_FLAGS: u32 = FLAG_TF | FLAG_RF | FLAG_VM | FLAG_AC;

/** All of EFLAGS. */
export function readFlags(cpu: usize): u32 {
  const result = load<i64>(cpu, CPU_FLAG_RES);
  const aux = load<u32>(cpu, CPU_FLAG_AUX);
  const parity = (popcnt<u32>((<u32>result ^ (aux >> 8)) & 0xff) ^ 1) & 1;
  const sign = <u32>(<u64>result >> 63) ^ (aux & 1);
  const overflow = ((aux ^ (aux << 1)) >> 31) & 1;
  return (
    load<u32>(cpu, CPU_EFLAGS) |
    (aux >> 31) |
    (parity << 2) |
    (((aux >> 3) & 1) << 4) |
    (result == 0 ? FLAG_ZF : 0) |
    (sign << 7) |
    (overflow << 11)
  );
}

/** Loads CF PF AF ZF SF OF from their places in `value`. */
function writeArithmetic(cpu: usize, value: u32): void {
  const carry = value & 1;
  const aux =
    (carry << 31) |
    ((carry ^ ((value >> 11) & 1)) << 30) |
    (((value >> 4) & 1) << 3) |
    ((((value >> 2) & 1) ^ 1) << 8) |
    ((value >> 7) & 1);
  store<u32>(cpu, aux, CPU_FLAG_AUX);
  store<u64>(cpu, (value & FLAG_ZF) != 0 ? 0 : 0x100, CPU_FLAG_RES);
}

/**
 * Replaces the flags that are in `mask` by those of `value`. Afterwards the mode key is right and a waiting interrupt
 * that has become possible is seen at once.
 */
export function writeFlags(cpu: usize, value: u32, mask: u32): void {
  const old = load<u32>(cpu, CPU_EFLAGS);
  replaceFlags(cpu, value, mask);
  if (((old ^ load<u32>(cpu, CPU_EFLAGS)) & MODE_FLAGS) != 0) updateMode(cpu);
}

/** The same for callers that bring the mode key up to date themselves, because more than flags has changed. */
export function replaceFlags(cpu: usize, value: u32, mask: u32): void {
  if ((mask & ARITHMETIC_FLAGS) != 0)
    writeArithmetic(
      cpu,
      (mask & ARITHMETIC_FLAGS) == ARITHMETIC_FLAGS ? value : (readFlags(cpu) & ~mask) | (value & mask),
    );
  const old = load<u32>(cpu, CPU_EFLAGS);
  const system = mask & ALL_FLAGS & ~ARITHMETIC_FLAGS;
  const now = (old & ~system) | (value & system) | 2;
  store<u32>(cpu, now, CPU_EFLAGS);
  if ((now & ~old & FLAG_IF) != 0) lookForInterrupt(cpu);
}

/** Makes the run loop look for an interrupt if one waits. */
function lookForInterrupt(cpu: usize): void {
  if (load<u32>(cpu, CPU_INTERRUPT_PENDING) != 0) store<u32>(cpu, EVENT_PENDING, CPU_EVENT);
}

/** Sets or clears ZF. */
export function writeZero(cpu: usize, zero: bool): void {
  writeFlags(cpu, zero ? FLAG_ZF : 0, FLAG_ZF);
}

export function privilegeOfIo(cpu: usize): u32 {
  return (load<u32>(cpu, CPU_EFLAGS) >> 12) & 3;
}

/**
 * PUSHF: the image to be pushed, VM and RF clear. #GP(0) in virtual-8086 mode with IOPL < 3, unless CR4.VME lets a
 * 16-bit PUSHF see VIF instead of IF (SDM 3B 21.3.3.4).
 */
export function flagsToPush(cpu: usize, bytes: u32): u32 {
  const flags = readFlags(cpu);
  if (isVirtual8086(cpu) && privilegeOfIo(cpu) < 3) {
    if (bytes != 2 || (load<u64>(cpu, CPU_CR4) & CR4_VME) == 0) {
      raise(cpu, VECTOR_GP, 0);
      return 0;
    }
    return (flags & ~FLAG_IF) | FLAG_IOPL | ((flags & FLAG_VIF) >> 10);
  }
  return flags & ~(FLAG_VM | FLAG_RF);
}

/**
 * What POPF may replace at the current privilege: the mask for {@link writeFlags}. `bytes` is the operand size. 0 with
 * #GP(0) in virtual-8086 mode with IOPL < 3; {@link popFlags} does the VME case.
 */
function popMask(cpu: usize, bytes: u32): u32 {
  let mask = ARITHMETIC_FLAGS | FLAG_TF | FLAG_DF | FLAG_NT;
  if (bytes != 2) mask |= FLAG_RF | FLAG_AC | FLAG_ID;
  if (!isProtected(cpu)) return mask | FLAG_IF | FLAG_IOPL;
  const privilege = load<u32>(cpu, CPU_CPL);
  if (isVirtual8086(cpu)) return mask | FLAG_IF;
  if (privilege == 0) mask |= FLAG_IOPL;
  if (privilege <= privilegeOfIo(cpu)) mask |= FLAG_IF;
  return mask;
}

/** POPF with the value that was on top of the stack. May raise #GP(0); the caller moves the stack pointer. */
export function popFlags(cpu: usize, value: u32, bytes: u32): void {
  if (isVirtual8086(cpu) && privilegeOfIo(cpu) < 3) {
    if (bytes != 2 || (load<u64>(cpu, CPU_CR4) & CR4_VME) == 0) {
      raise(cpu, VECTOR_GP, 0);
      return;
    }
    const virtualPending = (load<u32>(cpu, CPU_EFLAGS) & FLAG_VIP) != 0;
    if ((virtualPending && (value & FLAG_IF) != 0) || (value & FLAG_TF) != 0) {
      raise(cpu, VECTOR_GP, 0);
      return;
    }
    const mask = ARITHMETIC_FLAGS | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_VIF;
    writeFlags(cpu, (value & ~FLAG_VIF) | ((value & FLAG_IF) << 10), mask);
    return;
  }
  // RF is cleared by POPF (SDM 2B POPF), never loaded.
  writeFlags(cpu, value & ~FLAG_RF, popMask(cpu, bytes));
}

/** What CLI and STI share. True if it was IF that changed, not VIF; #GP(0) where neither may. */
function changeInterruptFlag(cpu: usize, enable: bool): bool {
  const privilege = load<u32>(cpu, CPU_CPL);
  if (!isProtected(cpu) || privilege <= privilegeOfIo(cpu)) {
    writeFlags(cpu, enable ? FLAG_IF : 0, FLAG_IF);
    return true;
  }
  // VME and PVI give the task a virtual IF (SDM 3B 21.3, 21.4).
  const cr4 = load<u64>(cpu, CPU_CR4);
  const virtualised = isVirtual8086(cpu) ? (cr4 & CR4_VME) != 0 : privilege == 3 && (cr4 & CR4_PVI) != 0;
  const pending = (load<u32>(cpu, CPU_EFLAGS) & FLAG_VIP) != 0;
  if (!virtualised || (enable && pending)) return raise(cpu, VECTOR_GP, 0);
  writeFlags(cpu, enable ? FLAG_VIF : 0, FLAG_VIF);
  return false;
}

/** CLI. */
export function clearInterruptFlag(cpu: usize): void {
  changeInterruptFlag(cpu, false);
}

/** STI. If IF was clear, interrupts stay blocked for one more instruction. */
export function setInterruptFlag(cpu: usize): void {
  const was = load<u32>(cpu, CPU_EFLAGS) & FLAG_IF;
  if (changeInterruptFlag(cpu, true) && was == 0) store<u32>(cpu, SHADOW_STI, CPU_INTERRUPT_SHADOW);
}
