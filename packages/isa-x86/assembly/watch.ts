// SPDX-License-Identifier: Apache-2.0
// What a debugger on the host watches: data accesses to ranges of linear addresses, and pages of code with breakpoints.
// Without one, the slow paths that ask here find a count of 0. The guest's own debug registers: system/breakpoint.ts.
import { CPU_FAULT, CPU_STEPPING, CPU_WATCH_HIT, CPU_WATCH_WRITE, FAULT_STEP } from "./generated/layout";
import { codePageMapped } from "./host";

const MAX_WATCHPOINTS: u32 = 16;
const ON_WRITE: u32 = 1;
const ON_READ: u32 = 2;
/** Watchpoints: u64 first address, u64 last address, u32 accesses. */
const watchpoints: usize = memory.data(384);
const WATCHPOINT_SIZE: usize = 24;

let watchCount: u32 = 0;
/** Bit i is set if a page with breakpoints has a number that is i modulo 64. */
let breakpointPages: u64 = 0;
/** More than 0 while memory is accessed on behalf of an event, which cannot be begun again like an instruction. */
let eventDepth: u32 = 0;

/** Sets watchpoint `index`, which counts once {@link setWatchpointCount} says so. TLBs must be flushed. */
export function setWatchpoint(index: u32, first: u64, last: u64, accesses: u32): void {
  if (index >= MAX_WATCHPOINTS) return;
  const at = watchpoints + <usize>index * WATCHPOINT_SIZE;
  store<u64>(at, first);
  store<u64>(at, last, 8);
  store<u32>(at, accesses, 16);
}

export function setWatchpointCount(count: u32): void {
  watchCount = min(count, MAX_WATCHPOINTS);
}

/** Sets which pages the host wants to hear of when code in them is translated. TLBs must be flushed. */
export function setBreakpointPages(filter: u64): void {
  breakpointPages = filter;
}

/** Whether the page of `linear` may have a breakpoint. */
export function mayHaveBreakpoint(linear: u64): bool {
  return ((breakpointPages >> ((linear >> 12) & 63)) & 1) != 0;
}

/** Hears that fetches from `linear` now go to the page at offset `ram` in RAM. */
export function noteFetch(linear: u64, ram: u32): void {
  if (mayHaveBreakpoint(linear))
    codePageMapped(<u32>linear & 0xffff_f000, <u32>(linear >> 32), ram >> 12);
}

/** Whether accesses to the page of `linear` must take the slow path, so that no TLB may have it. */
export function isWatchedPage(linear: u64): bool {
  const page = linear >> 12;
  for (let i: u32 = 0; i < watchCount; i++) {
    const at = watchpoints + <usize>i * WATCHPOINT_SIZE;
    if (page >= load<u64>(at) >> 12 && page <= load<u64>(at, 8) >> 12) return true;
  }
  return false;
}

/**
 * Whether the instruction that accesses a watched page must be begun again with nothing else beside it, so that the vCPU
 * can stop right behind it; CPU_FAULT says so then.
 */
export function mustStep(cpu: usize): bool {
  if (load<u32>(cpu + CPU_STEPPING) != 0 || eventDepth != 0) return false;
  store<u32>(cpu + CPU_FAULT, FAULT_STEP);
  return true;
}

/** Notes the first watchpoint that an instruction meets while it is executed by itself. */
export function checkWatchpoints(cpu: usize, linear: u64, bytes: u32, write: bool): void {
  if (watchCount == 0 || load<u32>(cpu + CPU_STEPPING) == 0 || load<u32>(cpu + CPU_WATCH_HIT) != 0) return;
  for (let i: u32 = 0; i < watchCount; i++) {
    const at = watchpoints + <usize>i * WATCHPOINT_SIZE;
    if ((load<u32>(at, 16) & (write ? ON_WRITE : ON_READ)) == 0) continue;
    if (linear > load<u64>(at, 8) || linear + bytes - 1 < load<u64>(at)) continue;
    store<u32>(cpu + CPU_WATCH_HIT, i + 1);
    store<u32>(cpu + CPU_WATCH_WRITE, write ? 1 : 0);
    return;
  }
}

/** From here to {@link endEvent}, accesses are not an instruction's own. */
export function beginEvent(): void {
  eventDepth++;
}

export function endEvent(): void {
  eventDepth--;
}
