// SPDX-License-Identifier: Apache-2.0
// Far JMP and CALL: code segments, call gates, task gates and TSSs (SDM 2A CALL and JMP, 3A 5.8).
import { CPU_CPL, CPU_CS_LIMIT, CPU_CS_SEL, CPU_GPR, CPU_RIP, CPU_SS_SEL } from "../generated/layout";
import { nextRip } from "../lookup";
import { VECTOR_GP, VECTOR_NP, VECTOR_TS } from "./bits";
import {
  descriptorAttr,
  descriptorHigh,
  descriptorLow,
  fetchDescriptor,
  fetchStackSegment,
  fetchUpperHalf,
  isBadLongCode,
  isCode,
  isConforming,
  isPresent,
  markAccessed,
  systemType,
  TYPE_CALL_GATE,
  TYPE_CALL_GATE16,
  TYPE_TASK_GATE,
  TYPE_TSS,
  TYPE_TSS16,
} from "./descriptor";
import { beginCurrentFrame, beginDescriptorFrame, beginLongFrame, commitFrame, pushFrame } from "./frame";
import { updateMode } from "./mode";
import {
  ATTR_DB,
  ATTR_L,
  ATTR_S,
  attrDpl,
  CS,
  faulted,
  isLongMode,
  raise,
  setRealSegment,
  usesDescriptors,
} from "./segment";
import { peekSegmented } from "./stack";
import { checkTarget, commitCode, commitStack, holdCode, holdNullStack, holdStack } from "./target";
import { SWITCH_CALL, SWITCH_JUMP, taskGateTransfer, taskTransfer } from "./task";
import { innerPointer, innerSelector, readInnerStack, readLongStack } from "./tss";

/** Far JMP to `selector:offset`. */
export function farJump(cpu: usize, rec: usize, selector: u32, offset: u64): void {
  transfer(cpu, rec, selector & 0xffff, offset, 4, false);
}

/** Far CALL with operand size `bytes`. */
export function farCall(cpu: usize, rec: usize, selector: u32, offset: u64, bytes: u32): void {
  transfer(cpu, rec, selector & 0xffff, offset, bytes, true);
}

function pushReturn(cpu: usize, bytes: u32, rip: u64): bool {
  return pushFrame(cpu, bytes, <u64>load<u32>(cpu, CPU_CS_SEL)) && pushFrame(cpu, bytes, rip);
}

function transfer(cpu: usize, rec: usize, selector: u32, offset: u64, bytes: u32, call: bool): void {
  const next = nextRip(cpu, rec);
  if (!usesDescriptors(cpu)) {
    transferReal(cpu, selector, offset, bytes, call, next);
    return;
  }
  if ((selector & 0xfffc) == 0) {
    raise(cpu, VECTOR_GP, 0);
    return;
  }
  if (!fetchDescriptor(cpu, selector, VECTOR_GP, 0)) return;
  if ((descriptorAttr() & ATTR_S) != 0) transferToCode(cpu, selector, offset, bytes, call, next);
  else transferThroughSystem(cpu, rec, selector, call, next);
}

function transferReal(cpu: usize, selector: u32, offset: u64, bytes: u32, call: bool, next: u64): void {
  if (offset > <u64>load<u32>(cpu, CPU_CS_LIMIT)) {
    raise(cpu, VECTOR_GP, 0);
    return;
  }
  if (call) {
    beginCurrentFrame(cpu, 0);
    if (!pushReturn(cpu, bytes, next)) return;
    commitFrame(cpu);
  }
  setRealSegment(cpu, CS, selector);
  store<u64>(cpu, offset, CPU_RIP);
  updateMode(cpu);
}

/** Directly to a code segment: the privilege level stays. */
function transferToCode(cpu: usize, selector: u32, offset: u64, bytes: u32, call: bool, next: u64): void {
  const attr = descriptorAttr();
  const error = selector & 0xfffc;
  const privilege = load<u32>(cpu, CPU_CPL);
  const levelOk = isConforming(attr)
    ? attrDpl(attr) <= privilege
    : (selector & 3) <= privilege && attrDpl(attr) == privilege;
  if (!isCode(attr) || !levelOk || isBadLongCode(cpu, attr)) {
    raise(cpu, VECTOR_GP, error);
    return;
  }
  if (!isPresent(attr)) {
    raise(cpu, VECTOR_NP, error);
    return;
  }
  if (!markAccessed(cpu)) return;
  holdCode(cpu, selector);
  if (call) {
    beginCurrentFrame(cpu, 0);
    if (!pushReturn(cpu, bytes, next)) return;
  }
  if (!checkTarget(cpu, offset, 0)) return;
  if (call) commitFrame(cpu);
  commitCode(cpu, privilege, offset);
  updateMode(cpu);
}

function transferThroughSystem(cpu: usize, rec: usize, selector: u32, call: bool, next: u64): void {
  const attr = descriptorAttr();
  const type = systemType(attr);
  const long = isLongMode(cpu);
  const error = selector & 0xfffc;
  const known =
    type == TYPE_CALL_GATE ||
    (!long && (type == TYPE_CALL_GATE16 || type == TYPE_TASK_GATE || type == TYPE_TSS || type == TYPE_TSS16));
  if (!known || attrDpl(attr) < load<u32>(cpu, CPU_CPL) || attrDpl(attr) < (selector & 3)) {
    raise(cpu, VECTOR_GP, error);
    return;
  }
  if (!isPresent(attr)) {
    raise(cpu, VECTOR_NP, error);
    return;
  }
  if (type == TYPE_CALL_GATE || type == TYPE_CALL_GATE16)
    callGate(cpu, rec, selector, type == TYPE_CALL_GATE, call, next);
  else if (type == TYPE_TASK_GATE) taskGateTransfer(cpu, descriptorLow >> 16, call ? SWITCH_CALL : SWITCH_JUMP, next);
  else taskTransfer(cpu, selector, call ? SWITCH_CALL : SWITCH_JUMP, next);
}

/** Through the call gate fetched last. */
function callGate(cpu: usize, rec: usize, gateSelector: u32, wide: bool, call: bool, next: u64): void {
  const long = isLongMode(cpu);
  const selector = descriptorLow >> 16;
  const parameters = descriptorHigh & 0x1f;
  let offset: u64 = <u64>(wide ? (descriptorLow & 0xffff) | (descriptorHigh & 0xffff_0000) : descriptorLow & 0xffff);
  if (long) {
    offset |= fetchUpperHalf(cpu, gateSelector, VECTOR_GP, 0);
    if (faulted(cpu)) return;
  }
  if ((selector & 0xfffc) == 0) {
    raise(cpu, VECTOR_GP, 0);
    return;
  }
  if (!fetchDescriptor(cpu, selector, VECTOR_GP, 0)) return;
  const code = descriptorAttr();
  const privilege = load<u32>(cpu, CPU_CPL);
  const inner = !isConforming(code) && attrDpl(code) < privilege;
  let ok = isCode(code) && attrDpl(code) <= privilege;
  if (inner && !call) ok = false;
  if (long && (code & (ATTR_L | ATTR_DB)) != ATTR_L) ok = false;
  if (!ok) {
    raise(cpu, VECTOR_GP, selector & 0xfffc);
    return;
  }
  if (!isPresent(code)) {
    raise(cpu, VECTOR_NP, selector & 0xfffc);
    return;
  }
  if (!markAccessed(cpu)) return;
  holdCode(cpu, selector);
  const bytes: u32 = long ? 8 : wide ? 4 : 2;
  if (call && inner) {
    if (!pushInnerCall(cpu, rec, attrDpl(code), bytes, long ? 0 : parameters)) return;
  } else if (call) beginCurrentFrame(cpu, 0);
  if (call && !pushReturn(cpu, bytes, next)) return;
  if (!checkTarget(cpu, offset, 0)) return;
  if (call && inner) commitStack(cpu);
  if (call) commitFrame(cpu);
  commitCode(cpu, inner ? attrDpl(code) : privilege, offset);
  updateMode(cpu);
}

/** Starts the frame of a call to an inner ring: old SS:ESP and `parameters` words copied from the old stack. */
function pushInnerCall(cpu: usize, rec: usize, privilege: u32, bytes: u32, parameters: u32): bool {
  if (isLongMode(cpu)) {
    if (!readLongStack(cpu, privilege, 0, 0)) return false;
    holdNullStack(privilege, privilege);
    beginLongFrame(cpu, innerPointer, privilege, 0);
  } else {
    if (!readInnerStack(cpu, privilege, 0)) return false;
    const selector = innerSelector;
    if ((selector & 0xfffc) == 0) return raise(cpu, VECTOR_TS, 0);
    if (!fetchStackSegment(cpu, selector, privilege, VECTOR_TS, 0)) return false;
    holdStack(selector);
    beginDescriptorFrame(cpu, innerPointer, privilege, selector & 0xfffc);
  }
  if (!pushFrame(cpu, bytes, <u64>load<u32>(cpu, CPU_SS_SEL))) return false;
  if (!pushFrame(cpu, bytes, load<u64>(cpu, CPU_GPR + 4 * 8))) return false;
  for (let i = parameters; i > 0; i--) {
    const value = peekSegmented(cpu, rec, bytes, (i - 1) * bytes);
    if (faulted(cpu) || !pushFrame(cpu, bytes, value)) return false;
  }
  return true;
}
