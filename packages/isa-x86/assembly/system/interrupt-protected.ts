// SPDX-License-Identifier: Apache-2.0
// Interrupts and exceptions through the IDT of protected mode (SDM 3A 6.12): gates, stack switch, virtual-8086 frames.
import { CPU_CPL, CPU_CS_SEL, CPU_GPR, CPU_IDTR_BASE, CPU_IDTR_LIMIT, CPU_SS_SEL } from "../generated/layout";
import { FLAG_IF, FLAG_NT, FLAG_RF, FLAG_TF, FLAG_VM, VECTOR_GP, VECTOR_NP, VECTOR_TS } from "./bits";
import {
  descriptorAttr,
  descriptorHigh,
  descriptorLow,
  fetchDescriptor,
  fetchDescriptorAt,
  fetchStackSegment,
  isCode,
  isConforming,
  isPresent,
  markAccessed,
  systemType,
  TYPE_INTERRUPT_GATE,
  TYPE_INTERRUPT_GATE16,
  TYPE_TASK_GATE,
  TYPE_TRAP_GATE,
  TYPE_TRAP_GATE16,
} from "./descriptor";
import { writeFlags } from "./flags";
import { beginCurrentFrame, beginDescriptorFrame, commitFrame, pushFrame } from "./frame";
import { updateMode } from "./mode";
import { attrDpl, DS, ES, FS, GS, isVirtual8086, raise, segmentSelector, setNullSegment } from "./segment";
import { checkTarget, commitCode, commitStack, holdCode, holdStack } from "./target";
import { taskGateInterrupt } from "./task";
import { innerPointer, innerSelector, readInnerStack } from "./tss";

/** EFLAGS bits that entering any handler clears. */
export const CLEARED_BY_ENTRY: u32 = FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM;

/**
 * Fetches the code segment that a gate names and checks it: #GP or #NP with its selector. The descriptor is marked
 * accessed and held.
 */
function fetchHandlerCode(cpu: usize, selector: u32, external: u32): bool {
  if ((selector & 0xfffc) == 0) return raise(cpu, VECTOR_GP, external);
  if (!fetchDescriptor(cpu, selector, VECTOR_GP, external)) return false;
  const attr = descriptorAttr();
  const error = (selector & 0xfffc) | external;
  if (!isCode(attr) || attrDpl(attr) > load<u32>(cpu, CPU_CPL)) return raise(cpu, VECTOR_GP, error);
  if (!isPresent(attr)) return raise(cpu, VECTOR_NP, error);
  return true;
}

function pushInterrupted(cpu: usize, bytes: u32, flags: u32, rip: u64, hasError: bool, error: u32): bool {
  if (!pushFrame(cpu, bytes, <u64>flags)) return false;
  if (!pushFrame(cpu, bytes, <u64>load<u32>(cpu, CPU_CS_SEL))) return false;
  if (!pushFrame(cpu, bytes, rip)) return false;
  return !hasError || pushFrame(cpu, bytes, <u64>error);
}

function pushVirtual8086Segments(cpu: usize, bytes: u32): bool {
  return (
    pushFrame(cpu, bytes, <u64>segmentSelector(cpu, GS)) &&
    pushFrame(cpu, bytes, <u64>segmentSelector(cpu, FS)) &&
    pushFrame(cpu, bytes, <u64>segmentSelector(cpu, DS)) &&
    pushFrame(cpu, bytes, <u64>segmentSelector(cpu, ES))
  );
}

/**
 * @param software INT n, INT3 or INTO: the gate's DPL is checked
 * @param flags image of EFLAGS to be pushed
 */
export function deliverProtected(
  cpu: usize,
  vector: u32,
  hasError: bool,
  error: u32,
  software: bool,
  external: u32,
  flags: u32,
  rip: u64,
): bool {
  const idtError = vector * 8 + 2 + external;
  if (vector * 8 + 7 > load<u32>(cpu, CPU_IDTR_LIMIT)) return raise(cpu, VECTOR_GP, idtError);
  if (!fetchDescriptorAt(cpu, load<u64>(cpu, CPU_IDTR_BASE) + vector * 8)) return false;
  const gate = descriptorAttr();
  const type = systemType(gate);
  const wide = type == TYPE_INTERRUPT_GATE || type == TYPE_TRAP_GATE;
  const known = wide || type == TYPE_INTERRUPT_GATE16 || type == TYPE_TRAP_GATE16 || type == TYPE_TASK_GATE;
  if (!known || (software && attrDpl(gate) < load<u32>(cpu, CPU_CPL))) return raise(cpu, VECTOR_GP, idtError);
  if (!isPresent(gate)) return raise(cpu, VECTOR_NP, idtError);
  const selector = descriptorLow >> 16;
  if (type == TYPE_TASK_GATE) return taskGateInterrupt(cpu, selector, hasError, error, external, flags, rip);
  const offset: u64 = <u64>(wide ? (descriptorLow & 0xffff) | (descriptorHigh & 0xffff_0000) : descriptorLow & 0xffff);
  const bytes: u32 = wide ? 4 : 2;
  const isInterruptGate = (type & 1) == 0;

  if (!fetchHandlerCode(cpu, selector, external)) return false;
  const code = descriptorAttr();
  const virtual8086 = isVirtual8086(cpu);
  const inner = !isConforming(code) && attrDpl(code) < load<u32>(cpu, CPU_CPL);
  if (virtual8086 && (!inner || attrDpl(code) != 0)) return raise(cpu, VECTOR_GP, (selector & 0xfffc) | external);
  if (!markAccessed(cpu)) return false;
  holdCode(cpu, selector);
  let privilege = load<u32>(cpu, CPU_CPL);
  if (inner) {
    privilege = attrDpl(code);
    if (!readInnerStack(cpu, privilege, external)) return false;
    const stackSelector = innerSelector;
    if ((stackSelector & 0xfffc) == 0) return raise(cpu, VECTOR_TS, external);
    if (!fetchStackSegment(cpu, stackSelector, privilege, VECTOR_TS, external)) return false;
    holdStack(stackSelector);
    beginDescriptorFrame(cpu, innerPointer, privilege, (stackSelector & 0xfffc) | external);
    if (virtual8086 && !pushVirtual8086Segments(cpu, bytes)) return false;
    if (!pushFrame(cpu, bytes, <u64>load<u32>(cpu, CPU_SS_SEL))) return false;
    if (!pushFrame(cpu, bytes, load<u64>(cpu, CPU_GPR + 4 * 8))) return false;
  } else beginCurrentFrame(cpu, external);
  if (!pushInterrupted(cpu, bytes, flags, rip, hasError, error)) return false;
  if (!checkTarget(cpu, offset, external)) return false;

  if (inner) commitStack(cpu);
  commitFrame(cpu);
  commitCode(cpu, privilege, offset);
  writeFlags(cpu, 0, CLEARED_BY_ENTRY | (isInterruptGate ? FLAG_IF : 0));
  if (virtual8086) for (let segment: u32 = DS; segment <= GS; segment++) setNullSegment(cpu, segment, 0);
  if (virtual8086) setNullSegment(cpu, ES, 0);
  updateMode(cpu);
  return true;
}
