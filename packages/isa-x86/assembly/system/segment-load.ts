// SPDX-License-Identifier: Apache-2.0
// MOV Sreg, POP Sreg, LDS..LGS and the segment loads that are part of IRET and task switches (SDM 2B MOV, 3A 5.5).
import { CPU_ES_BASE, CPU_INTERRUPT_SHADOW, SEGMENT_STRIDE } from "../generated/layout";
import { VECTOR_GP, VECTOR_NP, VECTOR_UD } from "./bits";
import {
  descriptorAttr,
  fetchDescriptor,
  fetchStackSegment,
  isCode,
  isConforming,
  isPresent,
  isReadable,
  loadFromDescriptor,
  markAccessed,
} from "./descriptor";
import { updateMode } from "./mode";
import {
  attrDpl,
  CS,
  currentPrivilege,
  faulted,
  is64Bit,
  raise,
  setNullSegment,
  setRealSegment,
  SS,
  stackMask,
  usesDescriptors,
} from "./segment";
import { peekSegmented, setStackPointer, stackOffset } from "./stack";

/** Interrupt shadow after STI, and after MOV SS or POP SS, which also holds back debug traps. */
export const SHADOW_STI: u32 = 1;
export const SHADOW_SS: u32 = 2;

/**
 * Fetches the descriptor for ES, DS, FS or GS and checks it for use at privilege level `privilege`: `vector` with the
 * selector, or #NP. The selector is not null.
 */
export function fetchDataSegment(cpu: usize, selector: u32, privilege: u32, vector: u32): bool {
  if (!fetchDescriptor(cpu, selector, vector, 0)) return false;
  const attr = descriptorAttr();
  const error = selector & 0xfffc;
  if (!isReadable(attr)) return raise(cpu, vector, error);
  if (!(isCode(attr) && isConforming(attr)) && (attrDpl(attr) < (selector & 3) || attrDpl(attr) < privilege))
    return raise(cpu, vector, error);
  if (!isPresent(attr)) return raise(cpu, VECTOR_NP, error);
  return markAccessed(cpu);
}

/** Loads ES, SS, DS, FS or GS as MOV does. False if that raised an exception; nothing has changed then. */
function loadSegment(cpu: usize, segment: u32, selector: u32): bool {
  if (!usesDescriptors(cpu)) {
    setRealSegment(cpu, segment, selector);
    return true;
  }
  const privilege = currentPrivilege(cpu);
  if ((selector & 0xfffc) == 0) {
    if (segment == SS && (!is64Bit(cpu) || privilege == 3 || (selector & 3) != privilege))
      return raise(cpu, VECTOR_GP, 0);
    setNullSegment(cpu, segment, selector);
    return true;
  }
  if (segment == SS) {
    if (!fetchStackSegment(cpu, selector, privilege, VECTOR_GP, 0)) return false;
  } else if (!fetchDataSegment(cpu, selector, privilege, VECTOR_GP)) return false;
  loadFromDescriptor(cpu, segment, selector);
  return true;
}

/**
 * MOV Sreg and POP Sreg. `slot` is the offset of the register's base field in the CPU record. CS, and the two register
 * numbers that do not exist, are #UD. Loading SS holds back interrupts for one instruction.
 */
export function moveToSegment(cpu: usize, slot: u32, selector: u32): void {
  const segment = (slot - <u32>CPU_ES_BASE) / <u32>SEGMENT_STRIDE;
  if (segment == CS || segment > 5) {
    raise(cpu, VECTOR_UD, 0);
    return;
  }
  if (!loadSegment(cpu, segment, selector & 0xffff)) return;
  if (segment == SS) store<u32>(cpu, SHADOW_SS, CPU_INTERRUPT_SHADOW);
  updateMode(cpu);
}

/** POP Sreg. The stack pointer has the width that the stack had before SS changed. */
export function popSegment(cpu: usize, rec: usize, bytes: u32, slot: u32): void {
  const selector = <u32>peekSegmented(cpu, rec, bytes, 0);
  if (faulted(cpu)) return;
  const mask = stackMask(cpu);
  const pointer = stackOffset(cpu, bytes);
  moveToSegment(cpu, slot, selector);
  if (!faulted(cpu)) setStackPointer(cpu, pointer, mask);
}
