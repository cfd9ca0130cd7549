// SPDX-License-Identifier: Apache-2.0
// Hardware breakpoints and single step (SDM 3B 18.2, 18.3).
import {
  CPU_CR4,
  CPU_DEBUG_PENDING,
  CPU_DR,
  CPU_EFLAGS,
  CPU_INTERRUPT_SHADOW,
  CPU_RIP,
  CPU_STEP_RIP,
  CPU_STEP_TRAP,
} from "../generated/layout";
import { linearRip } from "../lookup";
import { checkWatchpoints } from "../watch";
import { CR4_DE, FLAG_RF, FLAG_TF, VECTOR_DB } from "./bits";
import { breakpointEnabled, breakpointType } from "./mode";
import { raise } from "./segment";
import { SHADOW_SS } from "./segment-load";

const TYPE_EXECUTE: u32 = 0;
const TYPE_WRITE: u32 = 1;
const TYPE_IO: u32 = 2;
const TYPE_ACCESS: u32 = 3;
const DR6_BS: u32 = 1 << 14;

function dr7(cpu: usize): u64 {
  return load<u64>(cpu, CPU_DR + 7 * 8);
}

/** Bytes that breakpoint `i` covers: the LEN field 0-3 means 1, 2, 8, 4. */
function breakpointLength(control: u64, i: u32): u64 {
  const field = <u32>(control >> (18 + (i << 2))) & 3;
  return field == 2 ? 8 : <u64>field + 1;
}

/** Bits B0-B3 of enabled breakpoints of the given types that overlap `[address, address + bytes)`. */
function matches(cpu: usize, address: u64, bytes: u32, first: u32, second: u32): u32 {
  const control = dr7(cpu);
  let hit: u32 = 0;
  for (let i: u32 = 0; i < 4; i++) {
    const type = breakpointType(control, i);
    if (!breakpointEnabled(control, i) || (type != first && type != second)) continue;
    const length = breakpointLength(control, i);
    const start = load<u64>(cpu + CPU_DR + ((<usize>i) << 3)) & ~(length - 1);
    if (address < start + length && start < address + bytes) hit |= 1 << i;
  }
  return hit;
}

/** Notes the data breakpoints that an access meets; the trap comes after the instruction. */
export function checkDataBreakpoint(cpu: usize, linear: u64, bytes: u32, write: bool): void {
  checkWatchpoints(cpu, linear, bytes, write);
  if ((dr7(cpu) & 0xff) == 0) return;
  const hit = matches(cpu, linear, bytes, TYPE_ACCESS, write ? TYPE_WRITE : TYPE_ACCESS);
  if (hit != 0) store<u32>(cpu, load<u32>(cpu, CPU_DEBUG_PENDING) | hit, CPU_DEBUG_PENDING);
}

/** Notes the I/O breakpoints that a port access meets; they exist only with CR4.DE. */
export function checkIoBreakpoint(cpu: usize, port: u32, bytes: u32): void {
  if ((dr7(cpu) & 0xff) == 0 || (load<u64>(cpu, CPU_CR4) & CR4_DE) == 0) return;
  const hit = matches(cpu, <u64>port, bytes, TYPE_IO, TYPE_IO);
  if (hit != 0) store<u32>(cpu, load<u32>(cpu, CPU_DEBUG_PENDING) | hit, CPU_DEBUG_PENDING);
}

/**
 * To be called before each instruction while the mode key says step. Returns 1 with #DB in CPU_FAULT if an instruction
 * breakpoint stops it; otherwise 0, and RF is used up.
 */
export function beginStep(cpu: usize): u32 {
  const flags = load<u32>(cpu, CPU_EFLAGS);
  store<u32>(cpu, flags & ~FLAG_RF, CPU_EFLAGS);
  store<u32>(cpu, 0, CPU_INTERRUPT_SHADOW);
  store<u64>(cpu, load<u64>(cpu, CPU_RIP), CPU_STEP_RIP);
  if ((flags & FLAG_RF) == 0 && (dr7(cpu) & 0xff) != 0) {
    const hit = matches(cpu, linearRip(cpu, load<u64>(cpu, CPU_RIP)), 1, TYPE_EXECUTE, TYPE_EXECUTE);
    if (hit != 0) {
      store<u32>(cpu, hit, CPU_DEBUG_PENDING);
      raise(cpu, VECTOR_DB, 0);
      return 1;
    }
  }
  store<u32>(cpu, flags & FLAG_TF, CPU_STEP_TRAP);
  return 0;
}

/**
 * To be called after each instruction that was begun with {@link beginStep} and did not fault; CPU_RIP is the next one.
 * Returns 1 with #DB in CPU_FAULT if a data breakpoint or the single-step trap is due.
 */
export function endStep(cpu: usize): u32 {
  // A repeated string instruction that goes on does not meet its own breakpoint again (SDM 3B 18.3.1.1).
  if (load<u64>(cpu, CPU_RIP) == load<u64>(cpu, CPU_STEP_RIP))
    store<u32>(cpu, load<u32>(cpu, CPU_EFLAGS) | FLAG_RF, CPU_EFLAGS);
  // MOV SS and POP SS hold debug traps back until after the next instruction (SDM 3A 6.8.3).
  if ((load<u32>(cpu, CPU_INTERRUPT_SHADOW) & SHADOW_SS) != 0) return 0;
  let pending = load<u32>(cpu, CPU_DEBUG_PENDING);
  if (load<u32>(cpu, CPU_STEP_TRAP) != 0) pending |= DR6_BS;
  if (pending == 0) return 0;
  store<u32>(cpu, pending, CPU_DEBUG_PENDING);
  raise(cpu, VECTOR_DB, 0);
  return 1;
}
