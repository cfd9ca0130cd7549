// SPDX-License-Identifier: Apache-2.0
// Interrupts and exceptions in IA-32e mode (SDM 3A 6.14): 16-byte gates, IST, aligned 64-bit frames.
import { CPU_CPL, CPU_CS_SEL, CPU_GPR, CPU_IDTR_BASE, CPU_IDTR_LIMIT, CPU_SS_SEL } from "../generated/layout";
import { readSystem } from "../memory";
import { FLAG_IF, VECTOR_GP, VECTOR_NP } from "./bits";
import {
  descriptorAttr,
  descriptorHigh,
  descriptorLow,
  fetchDescriptor,
  fetchDescriptorAt,
  isCode,
  isConforming,
  isPresent,
  markAccessed,
  systemType,
  TYPE_INTERRUPT_GATE,
  TYPE_TRAP_GATE,
} from "./descriptor";
import { replaceFlags } from "./flags";
import { beginLongFrame, commitFrame, pushFrame } from "./frame";
import { CLEARED_BY_ENTRY } from "./interrupt-protected";
import { updatePrivilege } from "./mode";
import { ATTR_DB, ATTR_L, attrDpl, faulted, isCanonical, raise } from "./segment";
import { commitCode, commitStack, holdCode, holdNullStack } from "./target";
import { innerPointer, readLongStack } from "./tss";

/** Parameters as for deliverProtected. */
export function deliverLong(
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
  if (vector * 16 + 15 > load<u32>(cpu, CPU_IDTR_LIMIT)) return raise(cpu, VECTOR_GP, idtError);
  const address = load<u64>(cpu, CPU_IDTR_BASE) + vector * 16;
  if (!fetchDescriptorAt(cpu, address)) return false;
  const gate = descriptorAttr();
  const type = systemType(gate);
  if (type != TYPE_INTERRUPT_GATE && type != TYPE_TRAP_GATE) return raise(cpu, VECTOR_GP, idtError);
  if (software && attrDpl(gate) < load<u32>(cpu, CPU_CPL)) return raise(cpu, VECTOR_GP, idtError);
  if (!isPresent(gate)) return raise(cpu, VECTOR_NP, idtError);
  const selector = descriptorLow >> 16;
  const ist = descriptorHigh & 7;
  const low = (descriptorLow & 0xffff) | (descriptorHigh & 0xffff_0000);
  const high = readSystem(cpu, address + 8, 4);
  if (faulted(cpu)) return false;
  const offset = <u64>low | (high << 32);

  if ((selector & 0xfffc) == 0) return raise(cpu, VECTOR_GP, external);
  if (!fetchDescriptor(cpu, selector, VECTOR_GP, external)) return false;
  const code = descriptorAttr();
  const codeError = (selector & 0xfffc) | external;
  const current = load<u32>(cpu, CPU_CPL);
  if (!isCode(code) || attrDpl(code) > current || (code & (ATTR_L | ATTR_DB)) != ATTR_L)
    return raise(cpu, VECTOR_GP, codeError);
  if (!isPresent(code)) return raise(cpu, VECTOR_NP, codeError);
  if (!markAccessed(cpu)) return false;
  holdCode(cpu, selector);

  const inner = !isConforming(code) && attrDpl(code) < current;
  const privilege = inner ? attrDpl(code) : current;
  let pointer = load<u64>(cpu, CPU_GPR + 4 * 8);
  if (inner || ist != 0) {
    if (!readLongStack(cpu, privilege, ist, external)) return false;
    pointer = innerPointer;
  }
  beginLongFrame(cpu, pointer & ~0xf, privilege, external);
  if (!pushFrame(cpu, 8, <u64>load<u32>(cpu, CPU_SS_SEL))) return false;
  if (!pushFrame(cpu, 8, load<u64>(cpu, CPU_GPR + 4 * 8))) return false;
  if (!pushFrame(cpu, 8, <u64>flags)) return false;
  if (!pushFrame(cpu, 8, <u64>load<u32>(cpu, CPU_CS_SEL))) return false;
  if (!pushFrame(cpu, 8, rip)) return false;
  if (hasError && !pushFrame(cpu, 8, <u64>error)) return false;
  if (!isCanonical(offset)) return raise(cpu, VECTOR_GP, external);

  if (inner) {
    holdNullStack(privilege, privilege);
    commitStack(cpu);
  }
  commitFrame(cpu);
  commitCode(cpu, privilege, offset);
  replaceFlags(cpu, 0, CLEARED_BY_ENTRY | (type == TYPE_INTERRUPT_GATE ? FLAG_IF : 0));
  updatePrivilege(cpu);
  return true;
}
