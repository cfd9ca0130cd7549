// SPDX-License-Identifier: Apache-2.0
// Far RET and IRET (SDM 2A IRET, 2B RET, 3A 5.8.6).
import { CPU_CPL, CPU_CS_LIMIT, CPU_RIP } from "../generated/layout";
import { VECTOR_GP, VECTOR_NP } from "./bits";
import {
  descriptorAttr,
  fetchDescriptor,
  fetchStackSegment,
  isBadLongCode,
  isCode,
  isConforming,
  isPresent,
  markAccessed,
} from "./descriptor";
import { updateMode } from "./mode";
import {
  ATTR_DB,
  ATTR_S,
  attrDpl,
  CS,
  DS,
  ES,
  faulted,
  GS,
  raise,
  segmentAttr,
  segmentSelector,
  setNullSegment,
  setRealSegment,
  stackMask,
  usesDescriptors,
} from "./segment";
import { peekSegmented, setStackPointer, stackOffset } from "./stack";
import {
  checkTarget,
  commitCode,
  commitStack,
  heldStackAttr,
  holdCode,
  holdNullStack,
  holdStack,
  targetIsLong,
} from "./target";

/** Checks the code segment that a return goes to, and holds it. */
export function holdReturnCode(cpu: usize, selector: u32): bool {
  if ((selector & 0xfffc) == 0) return raise(cpu, VECTOR_GP, 0);
  if (!fetchDescriptor(cpu, selector, VECTOR_GP, 0)) return false;
  const attr = descriptorAttr();
  const error = selector & 0xfffc;
  const rpl = selector & 3;
  const levelOk = isConforming(attr) ? attrDpl(attr) <= rpl : attrDpl(attr) == rpl;
  if (!isCode(attr) || rpl < load<u32>(cpu, CPU_CPL) || !levelOk || isBadLongCode(cpu, attr))
    return raise(cpu, VECTOR_GP, error);
  if (!isPresent(attr)) return raise(cpu, VECTOR_NP, error);
  if (!markAccessed(cpu)) return false;
  holdCode(cpu, selector);
  return true;
}

/** Checks the stack segment that a return to ring `rpl` loads, and holds it. */
export function holdReturnStack(cpu: usize, selector: u32, rpl: u32): bool {
  if ((selector & 0xfffc) == 0) {
    if (!targetIsLong(cpu) || rpl == 3) return raise(cpu, VECTOR_GP, 0);
    holdNullStack(selector, rpl);
    return true;
  }
  if (!fetchStackSegment(cpu, selector, rpl, VECTOR_GP, 0)) return false;
  holdStack(selector);
  return true;
}

/** Loads what was held; `pointer` is the new stack pointer, in the width that the new stack has. */
export function commitReturn(cpu: usize, selector: u32, rip: u64, pointer: u64): void {
  const long = targetIsLong(cpu);
  commitStack(cpu);
  setStackPointer(cpu, pointer, long ? <u64>-1 : (heldStackAttr() & ATTR_DB) != 0 ? 0xffff_ffff : 0xffff);
  const outward = (selector & 3) > load<u32>(cpu, CPU_CPL);
  commitCode(cpu, selector & 3, rip);
  if (outward) dropInnerSegments(cpu, selector & 3);
}

/** Nulls data segment registers that the outer ring may not have (SDM 3A 5.8.6). */
function dropInnerSegments(cpu: usize, privilege: u32): void {
  for (let segment = ES; segment <= GS; segment++) {
    if (segment < DS && segment != ES) continue;
    if ((segmentSelector(cpu, segment) & 0xfffc) == 0) continue;
    const attr = segmentAttr(cpu, segment);
    if ((attr & ATTR_S) != 0 && isCode(attr) && isConforming(attr)) continue;
    if (attrDpl(attr) < privilege) setNullSegment(cpu, segment, 0);
  }
}

/** RETF; `bytes` is the operand size, `parameters` the immediate. */
export function farReturn(cpu: usize, rec: usize, bytes: u32, parameters: u32): void {
  const rip = peekSegmented(cpu, rec, bytes, 0);
  if (faulted(cpu)) return;
  const selector = <u32>peekSegmented(cpu, rec, bytes, bytes) & 0xffff;
  if (faulted(cpu)) return;
  const popped = 2 * bytes + parameters;
  if (!usesDescriptors(cpu)) {
    if (rip > <u64>load<u32>(cpu, CPU_CS_LIMIT)) {
      raise(cpu, VECTOR_GP, 0);
      return;
    }
    setStackPointer(cpu, stackOffset(cpu, popped), stackMask(cpu));
    setRealSegment(cpu, CS, selector);
    store<u64>(cpu, rip, CPU_RIP);
    updateMode(cpu);
    return;
  }
  if (!holdReturnCode(cpu, selector)) return;
  if ((selector & 3) == load<u32>(cpu, CPU_CPL)) {
    if (!checkTarget(cpu, rip, 0)) return;
    setStackPointer(cpu, stackOffset(cpu, popped), stackMask(cpu));
    commitCode(cpu, selector & 3, rip);
  } else {
    const pointer = peekSegmented(cpu, rec, bytes, popped);
    if (faulted(cpu)) return;
    const stackSelector = <u32>peekSegmented(cpu, rec, bytes, popped + bytes) & 0xffff;
    if (faulted(cpu)) return;
    if (!holdReturnStack(cpu, stackSelector, selector & 3) || !checkTarget(cpu, rip, 0)) return;
    commitReturn(cpu, selector, rip, pointer + parameters);
  }
  updateMode(cpu);
}
