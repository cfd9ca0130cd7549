// SPDX-License-Identifier: Apache-2.0
// Interrupts through the real-mode vector table (SDM 3B 21.1.4), also those that CR4.VME redirects there.
import { CPU_CS_LIMIT, CPU_CS_SEL, CPU_EFLAGS, CPU_IDTR_BASE, CPU_IDTR_LIMIT, CPU_RIP } from "../generated/layout";
import { readGuest, readSystem } from "../memory";
import { FLAG_AC, FLAG_IF, FLAG_IOPL, FLAG_RF, FLAG_TF, FLAG_VIF, VECTOR_GP } from "./bits";
import { privilegeOfIo, readFlags, writeFlags } from "./flags";
import { beginCurrentFrame, commitFrame, pushFrame } from "./frame";
import { updateMode } from "./mode";
import { CS, faulted, raise, setRealSegment } from "./segment";

function enter(cpu: usize, entry: u32, pushed: u32, clear: u32, rip: u64): bool {
  beginCurrentFrame(cpu, 0);
  if (!pushFrame(cpu, 2, <u64>pushed & 0xffff)) return false;
  if (!pushFrame(cpu, 2, <u64>load<u32>(cpu, CPU_CS_SEL))) return false;
  if (!pushFrame(cpu, 2, rip & 0xffff)) return false;
  commitFrame(cpu);
  setRealSegment(cpu, CS, entry >> 16);
  store<u64>(cpu, <u64>(entry & 0xffff), CPU_RIP);
  writeFlags(cpu, 0, clear);
  updateMode(cpu);
  return true;
}

/** Real mode. No error code is pushed. */
export function deliverReal(cpu: usize, vector: u32, external: u32, rip: u64): bool {
  if (vector * 4 + 3 > load<u32>(cpu, CPU_IDTR_LIMIT)) return raise(cpu, VECTOR_GP, vector * 8 + 2 + external);
  const entry = <u32>readSystem(cpu, load<u64>(cpu, CPU_IDTR_BASE) + vector * 4, 4);
  if (faulted(cpu)) return false;
  if ((entry & 0xffff) > load<u32>(cpu, CPU_CS_LIMIT)) return raise(cpu, VECTOR_GP, external);
  return enter(cpu, entry, readFlags(cpu), FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF, rip);
}

/** INT n of a virtual-8086 task with CR4.VME and a clear redirection bit: its own vector table at linear 0. */
export function deliverRedirected(cpu: usize, vector: u32, rip: u64): bool {
  const entry = <u32>readGuest(cpu, 0, <u64>(vector * 4), 4);
  if (faulted(cpu)) return false;
  let flags = readFlags(cpu);
  let clear = FLAG_TF | FLAG_AC | FLAG_RF;
  if (privilegeOfIo(cpu) == 3) clear |= FLAG_IF;
  else {
    // IF belongs to the monitor; the task sees VIF in its place, and IOPL 3.
    flags = (flags & ~FLAG_IF) | FLAG_IOPL | ((load<u32>(cpu, CPU_EFLAGS) & FLAG_VIF) >> 10);
    clear |= FLAG_VIF;
  }
  return enter(cpu, entry, flags, clear, rip);
}
