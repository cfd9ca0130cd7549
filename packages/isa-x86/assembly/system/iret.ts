// SPDX-License-Identifier: Apache-2.0
// IRET: return from an interrupt, in every mode (SDM 2A IRET).
import { CPU_CPL, CPU_CR4, CPU_CS_LIMIT, CPU_EFLAGS, CPU_EVENT, CPU_NMI_BLOCKED, CPU_RIP } from "../generated/layout";
import {
  ALL_FLAGS,
  ARITHMETIC_FLAGS,
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
  VECTOR_GP,
} from "./bits";
import { EVENT_PENDING, privilegeOfIo, replaceFlags, writeFlags } from "./flags";
import { updateMode, updatePrivilege } from "./mode";
import { commitReturn, holdReturnCode, holdReturnStack } from "./return";
import {
  CS,
  DS,
  ES,
  faulted,
  FS,
  GS,
  is64Bit,
  isLongMode,
  isProtected,
  isVirtual8086,
  raise,
  setRealSegment,
  SS,
  stackMask,
} from "./segment";
import { peekSegmented, setStackPointer, stackOffset } from "./stack";
import { checkTarget, commitCode } from "./target";
import { taskReturn } from "./task";

const WIDE_FLAGS: u32 = FLAG_RF | FLAG_AC | FLAG_ID;
const NARROW_FLAGS: u32 = ARITHMETIC_FLAGS | FLAG_TF | FLAG_DF | FLAG_NT;

/** IRET with operand size `bytes`; also ends the blocking of NMIs. */
export function interruptReturn(cpu: usize, rec: usize, bytes: u32): void {
  if (!isProtected(cpu))
    returnReal(cpu, rec, bytes, NARROW_FLAGS | FLAG_IF | FLAG_IOPL | (bytes == 2 ? 0 : WIDE_FLAGS));
  else if (isVirtual8086(cpu)) returnWithinVirtual8086(cpu, rec, bytes);
  else if ((load<u32>(cpu, CPU_EFLAGS) & FLAG_NT) != 0) {
    if (isLongMode(cpu)) raise(cpu, VECTOR_GP, 0);
    else taskReturn(cpu, rec);
  } else returnProtected(cpu, rec, bytes);
  if (faulted(cpu) || load<u32>(cpu, CPU_NMI_BLOCKED) == 0) return;
  store<u32>(cpu, 0, CPU_NMI_BLOCKED);
  store<u32>(cpu, EVENT_PENDING, CPU_EVENT);
}

/** Pops IP, CS and FLAGS without any descriptors. */
function returnReal(cpu: usize, rec: usize, bytes: u32, mask: u32): void {
  const rip = peekSegmented(cpu, rec, bytes, 0);
  if (faulted(cpu)) return;
  const selector = <u32>peekSegmented(cpu, rec, bytes, bytes) & 0xffff;
  if (faulted(cpu)) return;
  const flags = <u32>peekSegmented(cpu, rec, bytes, 2 * bytes);
  if (faulted(cpu)) return;
  finishReal(cpu, rip, selector, 3 * bytes, flags, mask);
}

function finishReal(cpu: usize, rip: u64, selector: u32, popped: u32, flags: u32, mask: u32): void {
  if (rip > <u64>load<u32>(cpu, CPU_CS_LIMIT)) {
    raise(cpu, VECTOR_GP, 0);
    return;
  }
  setStackPointer(cpu, stackOffset(cpu, popped), stackMask(cpu));
  setRealSegment(cpu, CS, selector);
  store<u64>(cpu, rip, CPU_RIP);
  writeFlags(cpu, flags, mask);
  updateMode(cpu);
}

function returnWithinVirtual8086(cpu: usize, rec: usize, bytes: u32): void {
  if (privilegeOfIo(cpu) == 3) {
    returnReal(cpu, rec, bytes, NARROW_FLAGS | FLAG_IF | (bytes == 2 ? 0 : WIDE_FLAGS));
    return;
  }
  if (bytes != 2 || (load<u64>(cpu, CPU_CR4) & CR4_VME) == 0) {
    raise(cpu, VECTOR_GP, 0);
    return;
  }
  const rip = peekSegmented(cpu, rec, 2, 0);
  if (faulted(cpu)) return;
  const selector = <u32>peekSegmented(cpu, rec, 2, 2);
  if (faulted(cpu)) return;
  const flags = <u32>peekSegmented(cpu, rec, 2, 4);
  if (faulted(cpu)) return;
  const pending = (load<u32>(cpu, CPU_EFLAGS) & FLAG_VIP) != 0;
  if ((pending && (flags & FLAG_IF) != 0) || (flags & FLAG_TF) != 0) {
    raise(cpu, VECTOR_GP, 0);
    return;
  }
  // The task's IF is VIF.
  finishReal(cpu, rip, selector, 6, (flags & ~FLAG_VIF) | ((flags & FLAG_IF) << 10), NARROW_FLAGS | FLAG_VIF);
}

/** Flags that IRET replaces at the current privilege. */
function returnMask(cpu: usize, bytes: u32): u32 {
  const privilege = load<u32>(cpu, CPU_CPL);
  let mask = NARROW_FLAGS;
  if (bytes != 2) mask |= WIDE_FLAGS;
  if (privilege <= privilegeOfIo(cpu)) mask |= FLAG_IF;
  if (privilege == 0) mask |= FLAG_IOPL;
  if (privilege == 0 && bytes != 2) mask |= FLAG_VIF | FLAG_VIP;
  return mask;
}

function returnProtected(cpu: usize, rec: usize, bytes: u32): void {
  const rip = peekSegmented(cpu, rec, bytes, 0);
  if (faulted(cpu)) return;
  const selector = <u32>peekSegmented(cpu, rec, bytes, bytes) & 0xffff;
  if (faulted(cpu)) return;
  const flags = <u32>peekSegmented(cpu, rec, bytes, 2 * bytes);
  if (faulted(cpu)) return;
  if (bytes == 4 && (flags & FLAG_VM) != 0 && load<u32>(cpu, CPU_CPL) == 0 && !isLongMode(cpu)) {
    returnToVirtual8086(cpu, rec, rip, selector, flags);
    return;
  }
  if (!holdReturnCode(cpu, selector)) return;
  const mask = returnMask(cpu, bytes);
  // 64-bit mode pops SS:RSP always, the other modes only when the privilege changes.
  if (!is64Bit(cpu) && (selector & 3) == load<u32>(cpu, CPU_CPL)) {
    if (!checkTarget(cpu, rip, 0)) return;
    setStackPointer(cpu, stackOffset(cpu, 3 * bytes), stackMask(cpu));
    commitCode(cpu, selector & 3, rip);
  } else {
    const pointer = peekSegmented(cpu, rec, bytes, 3 * bytes);
    if (faulted(cpu)) return;
    const stackSelector = <u32>peekSegmented(cpu, rec, bytes, 4 * bytes) & 0xffff;
    if (faulted(cpu)) return;
    if (!holdReturnStack(cpu, stackSelector, selector & 3) || !checkTarget(cpu, rip, 0)) return;
    commitReturn(cpu, selector, rip, pointer);
  }
  replaceFlags(cpu, flags, mask);
  updatePrivilege(cpu);
}

/** Ring 0 resumes a virtual-8086 task: ESP SS ES DS FS GS follow EFLAGS on the stack. */
function returnToVirtual8086(cpu: usize, rec: usize, rip: u64, selector: u32, flags: u32): void {
  const pointer = peekSegmented(cpu, rec, 4, 12);
  if (faulted(cpu)) return;
  const ss = <u32>peekSegmented(cpu, rec, 4, 16);
  if (faulted(cpu)) return;
  const es = <u32>peekSegmented(cpu, rec, 4, 20);
  if (faulted(cpu)) return;
  const ds = <u32>peekSegmented(cpu, rec, 4, 24);
  if (faulted(cpu)) return;
  const fs = <u32>peekSegmented(cpu, rec, 4, 28);
  if (faulted(cpu)) return;
  const gs = <u32>peekSegmented(cpu, rec, 4, 32);
  if (faulted(cpu)) return;
  if (rip > 0xffff) {
    raise(cpu, VECTOR_GP, 0);
    return;
  }
  writeFlags(cpu, flags, ALL_FLAGS);
  store<u32>(cpu, 3, CPU_CPL);
  setRealSegment(cpu, CS, selector);
  setRealSegment(cpu, SS, ss & 0xffff);
  setRealSegment(cpu, ES, es & 0xffff);
  setRealSegment(cpu, DS, ds & 0xffff);
  setRealSegment(cpu, FS, fs & 0xffff);
  setRealSegment(cpu, GS, gs & 0xffff);
  setStackPointer(cpu, pointer, 0xffff_ffff);
  store<u64>(cpu, rip, CPU_RIP);
  updateMode(cpu);
}
