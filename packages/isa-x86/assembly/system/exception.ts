// SPDX-License-Identifier: Apache-2.0
// Events: exceptions that instructions raised, external interrupts and NMI, INT n. SDM 3A chapter 6.
import {
  CPU_CR2,
  CPU_CR4,
  CPU_DEBUG_PENDING,
  CPU_DR,
  CPU_FAULT,
  CPU_FAULT_ADDRESS,
  CPU_FAULT_ERROR,
  CPU_HALTED,
  CPU_INTERRUPT_SHADOW,
  CPU_NMI_BLOCKED,
  CPU_RIP,
  CPU_STEP_TRAP,
  CPU_WATCH_HIT,
  VCPU_COUNTER_EXCEPTIONS,
  VCPU_COUNTER_INTERRUPTS,
  VCPU_COUNTER_SOFTWARE_INTERRUPTS,
} from "../generated/layout";
import { countLabel } from "../counters";
import { nextRip } from "../lookup";
import { beginEvent, endEvent } from "../watch";
import {
  CR4_VME,
  FAULT_PAGE_ABSENT,
  FAULT_SHUTDOWN,
  FLAG_RF,
  VECTOR_AC,
  VECTOR_BP,
  VECTOR_CP,
  VECTOR_DB,
  VECTOR_DF,
  VECTOR_GP,
  VECTOR_NMI,
  VECTOR_OF,
  VECTOR_PF,
  VECTOR_TS,
} from "./bits";
import { privilegeOfIo, readFlags } from "./flags";
import { deliverLong } from "./interrupt-long";
import { deliverProtected } from "./interrupt-protected";
import { deliverReal, deliverRedirected } from "./interrupt-real";
import { faulted, isLongMode, isProtected, isVirtual8086, raise } from "./segment";
import { isRedirected } from "./tss";

/** Result of a delivery: execution goes on at CPU_RIP. */
const DELIVERED: u32 = 0;
/** A triple fault: the processor is shut down. */
const SHUTDOWN: u32 = 1;
/** A page must be fetched; the same call is to be repeated then. */
const PAGE_ABSENT: u32 = 2;

// How INT-like instructions differ (parameter `kind` of softwareInterrupt).
const INT_N: u32 = 0;
const INT1: u32 = 3;

/**
 * Exceptions that may follow each other without an instruction in between. Processors have no limit: a handler of #AC in
 * ring 3 with a misaligned stack hangs them. Here such a guest is shut down.
 */
const MAX_SERIAL_EXCEPTIONS: i32 = 64;
const VECTOR_MACHINE_CHECK: u32 = 18;
const DR6_RESERVED: u64 = 0xffff_0ff0;
const DR7_GD: u64 = 1 << 13;

function hasErrorCode(vector: u32): bool {
  return (
    vector == VECTOR_DF || (vector >= VECTOR_TS && vector <= VECTOR_PF) || vector == VECTOR_AC || vector == VECTOR_CP
  );
}

/** Exceptions that are reported before the instruction has had any effect, so that it runs again (SDM 3A table 6-1). */
function isFaultClass(vector: u32): bool {
  return (
    vector != VECTOR_DB &&
    vector != VECTOR_NMI &&
    vector != VECTOR_BP &&
    vector != VECTOR_OF &&
    vector != VECTOR_DF &&
    vector != VECTOR_MACHINE_CHECK
  );
}

/** SDM 3A table 6-4: these turn into #DF when they come while one of them is being delivered. */
function isContributory(vector: u32): bool {
  return vector == 0 || (vector >= VECTOR_TS && vector <= VECTOR_GP);
}

/** One attempt; false if it raised an exception of its own or needs a page. Nothing but memory has changed then. */
function deliver(
  cpu: usize,
  vector: u32,
  hasError: bool,
  error: u32,
  software: bool,
  external: u32,
  flags: u32,
  rip: u64,
): bool {
  if (!isProtected(cpu)) return deliverReal(cpu, vector, external, rip);
  if (isLongMode(cpu)) return deliverLong(cpu, vector, hasError, error, software, external, flags, rip);
  return deliverProtected(cpu, vector, hasError, error, software, external, flags, rip);
}

function takeFault(cpu: usize): u32 {
  const vector = load<u32>(cpu, CPU_FAULT) - 1;
  store<u32>(cpu, 0, CPU_FAULT);
  return vector;
}

/** Loads DR6 for #DB, and forgets what was noted for a debug trap. */
function recordDebug(cpu: usize, vector: u32): void {
  if (vector == VECTOR_DB) {
    const dr6 = load<u64>(cpu, CPU_DR + 6 * 8);
    // B0-B3 are replaced; BD, BS and BT accumulate until software clears them (SDM 3B 18.2.3).
    store<u64>(cpu, (dr6 & ~0xf) | load<u32>(cpu, CPU_DEBUG_PENDING) | DR6_RESERVED, CPU_DR + 6 * 8);
    store<u64>(cpu, load<u64>(cpu, CPU_DR + 7 * 8) & ~DR7_GD, CPU_DR + 7 * 8);
  }
  // A fault undoes the instruction, and with it the data breakpoints that it has met and its single-step trap.
  store<u32>(cpu, 0, CPU_WATCH_HIT);
  store<u32>(cpu, 0, CPU_DEBUG_PENDING);
  store<u32>(cpu, 0, CPU_STEP_TRAP);
}

/**
 * Delivers an event and whatever comes of it: an exception during delivery, a double fault, shutdown (SDM 3A table
 * 6-5). `isException` is false for interrupts.
 */
function deliverAll(cpu: usize, first: u32, firstError: u32, isException: bool): u32 {
  beginEvent();
  const result = attemptAll(cpu, first, firstError, isException);
  endEvent();
  return result;
}

function attemptAll(cpu: usize, first: u32, firstError: u32, isException: bool): u32 {
  let rip = load<u64>(cpu, CPU_RIP);
  const address = load<u64>(cpu, CPU_FAULT_ADDRESS);
  let vector = first;
  let error = firstError;
  let exception = isException;
  for (let attempt = 0; attempt < MAX_SERIAL_EXCEPTIONS; attempt++) {
    const plain = readFlags(cpu);
    const flags = exception && isFaultClass(vector) ? plain | FLAG_RF : plain;
    if (exception && vector == VECTOR_PF) store<u64>(cpu, load<u64>(cpu, CPU_FAULT_ADDRESS), CPU_CR2);
    if (deliver(cpu, vector, exception && hasErrorCode(vector), error, false, 1, flags, rip)) {
      if (exception) countLabel(cpu + VCPU_COUNTER_EXCEPTIONS, vector & 31);
      else countLabel(cpu + VCPU_COUNTER_INTERRUPTS, vector & 0xff);
      if (!faulted(cpu)) return DELIVERED;
      // The handler is a task, and this fault is that task's own.
      vector = takeFault(cpu);
      error = load<u32>(cpu, CPU_FAULT_ERROR);
      rip = load<u64>(cpu, CPU_RIP);
      exception = true;
      recordDebug(cpu, vector);
      continue;
    }
    if (load<u32>(cpu, CPU_FAULT) >= FAULT_PAGE_ABSENT) {
      // The first event again: the exceptions that followed will follow again.
      store<u32>(cpu, isException ? first + 1 : 0, CPU_FAULT);
      store<u32>(cpu, firstError, CPU_FAULT_ERROR);
      store<u64>(cpu, address, CPU_FAULT_ADDRESS);
      return PAGE_ABSENT;
    }
    const next = takeFault(cpu);
    error = load<u32>(cpu, CPU_FAULT_ERROR);
    const serious = isContributory(next) || next == VECTOR_PF;
    if (exception && vector == VECTOR_DF && serious) return SHUTDOWN;
    const doubled = exception && ((isContributory(vector) && isContributory(next)) || (vector == VECTOR_PF && serious));
    vector = doubled ? VECTOR_DF : next;
    if (doubled) error = 0;
    exception = true;
  }
  return SHUTDOWN;
}

/**
 * Delivers the exception in CPU_FAULT. CPU_RIP is the faulting instruction, or the next one for a trap. Loads CR2 for
 * #PF and DR6 for #DB. Returns DELIVERED, SHUTDOWN or PAGE_ABSENT.
 */
export function raisePending(cpu: usize): u32 {
  if (load<u32>(cpu, CPU_FAULT) == FAULT_SHUTDOWN) return SHUTDOWN;
  const vector = takeFault(cpu);
  store<u32>(cpu, 0, CPU_INTERRUPT_SHADOW);
  recordDebug(cpu, vector);
  return deliverAll(cpu, vector, load<u32>(cpu, CPU_FAULT_ERROR), true);
}

/**
 * Delivers an external interrupt or NMI (vector 2); CPU_RIP is the next instruction. Wakes a halted processor. Returns
 * like raisePending.
 */
export function deliverInterrupt(cpu: usize, vector: u32): u32 {
  store<u32>(cpu, 0, CPU_HALTED);
  store<u32>(cpu, 0, CPU_INTERRUPT_SHADOW);
  const result = deliverAll(cpu, vector, 0, false);
  if (vector == VECTOR_NMI && result == DELIVERED) store<u32>(cpu, 1, CPU_NMI_BLOCKED);
  return result;
}

/**
 * INT n, INT3, INTO (taken) and INT1 as `kind` 0-3. On a fault the instruction has had no effect and CPU_FAULT says
 * why; otherwise execution goes on at CPU_RIP.
 */
export function softwareInterrupt(cpu: usize, rec: usize, vector: u32, kind: u32): void {
  const rip = nextRip(cpu, rec);
  if (kind == INT_N && isVirtual8086(cpu)) {
    if ((load<u64>(cpu, CPU_CR4) & CR4_VME) != 0) {
      const redirected = isRedirected(cpu, vector);
      if (faulted(cpu)) return;
      if (redirected) {
        deliverRedirected(cpu, vector, rip);
        return;
      }
    }
    if (privilegeOfIo(cpu) < 3) {
      raise(cpu, VECTOR_GP, 0);
      return;
    }
  }
  // INT1 counts as an event from outside the program: no DPL check, EXT set (SDM 2A INT).
  const external: u32 = kind == INT1 ? 1 : 0;
  if (deliver(cpu, vector, false, 0, kind != INT1, external, readFlags(cpu), rip)) {
    countLabel(cpu + VCPU_COUNTER_SOFTWARE_INTERRUPTS, vector & 0xff);
    store<u32>(cpu, 0, CPU_STEP_TRAP);
    settle(cpu);
  }
}

/**
 * After a transfer that may have switched tasks: delivers a fault of the new task, which does not belong to the
 * instruction. A triple fault stays in CPU_FAULT for the run loop.
 */
export function settle(cpu: usize): void {
  if (faulted(cpu) && raisePending(cpu) == SHUTDOWN) store<u32>(cpu, FAULT_SHUTDOWN, CPU_FAULT);
}
