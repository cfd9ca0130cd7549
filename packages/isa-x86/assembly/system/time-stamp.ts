// SPDX-License-Identifier: Apache-2.0
// RDTSC and RDTSCP (SDM 3B 18.17): guests read the time in every system call, so this must not leave generated code.
import {
  CPU_BUDGET,
  CPU_CPL,
  CPU_CR4,
  CPU_TICKS_BUDGET,
  CPU_TICKS_READ,
  CPU_TICKS_TOLD,
  CPU_TSC_OFFSET,
  RECORD_REMAINING,
} from "../generated/layout";
import { machineTicks } from "../host";
import { deviceAccesses } from "../physical";
import { CR4_TSD, VECTOR_GP } from "./bits";
import { raise } from "./segment";

/**
 * Instructions for which the counter is estimated from the last time that it was read. They last some microseconds at
 * most, as long as they are no accesses to devices.
 */
const ESTIMATED: u32 = 2048;
/**
 * Estimated ticks, of a nanosecond each, for this many instructions are one. No host retires so many in that time, so
 * what is read later is never less.
 */
const INSTRUCTIONS_PER_TICK: u32 = 8;

let estimates: bool = false;
let accessesThen: u32 = 0;

/** Tells whether the counter may be estimated: where it follows a host's clock, which takes longer to read than it ticks. */
export function estimateTicks(allowed: u32): void {
  estimates = allowed != 0;
}

/** The time-stamp counter as this vCPU sees it. */
export function timeStamp(cpu: usize): u64 {
  return <u64>machineTicks() + load<u64>(cpu, CPU_TSC_OFFSET);
}

/** The same, estimated if the machine's counter has been read shortly before and nothing outside was asked since. */
function recentTimeStamp(cpu: usize): u64 {
  const budget = load<u32>(cpu, CPU_BUDGET);
  const retired = load<u32>(cpu, CPU_TICKS_BUDGET) - budget;
  let ticks: u64;
  if (retired < ESTIMATED && accessesThen == deviceAccesses) {
    ticks = load<u64>(cpu, CPU_TICKS_READ) + <u64>(retired / INSTRUCTIONS_PER_TICK);
  } else {
    // A browser's clock stands still between its steps.
    ticks = max<u64>(<u64>machineTicks(), load<u64>(cpu, CPU_TICKS_TOLD));
    store<u64>(cpu, ticks, CPU_TICKS_READ);
    store<u32>(cpu, budget, CPU_TICKS_BUDGET);
    accessesThen = deviceAccesses;
  }
  store<u64>(cpu, ticks, CPU_TICKS_TOLD);
  return ticks + load<u64>(cpu, CPU_TSC_OFFSET);
}

/**
 * The counter for the instruction of `rec`; #GP(0) if CR4.TSD reserves it for ring 0. A virtual clock counts retired
 * instructions, so those behind `rec` in its block, which are off the budget already, are put back for the question.
 */
export function readTimeStamp(cpu: usize, rec: usize): u64 {
  if (load<u32>(cpu, CPU_CPL) != 0 && (load<u64>(cpu, CPU_CR4) & CR4_TSD) != 0) {
    raise(cpu, VECTOR_GP, 0);
    return 0;
  }
  const budget = load<u32>(cpu, CPU_BUDGET);
  store<u32>(cpu, budget + <u32>load<u8>(rec, RECORD_REMAINING) - 1, CPU_BUDGET);
  const ticks = estimates ? recentTimeStamp(cpu) : timeStamp(cpu);
  store<u32>(cpu, budget, CPU_BUDGET);
  return ticks;
}
