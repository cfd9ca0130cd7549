// SPDX-License-Identifier: Apache-2.0
// RDTSC and RDTSCP (SDM 3B 18.17): guests read the time in every system call, so this must not leave generated code.
import { CPU_BUDGET, CPU_CPL, CPU_CR4, CPU_TSC_OFFSET, RECORD_REMAINING } from "../generated/layout";
import { machineTicks } from "../host";
import { CR4_TSD, VECTOR_GP } from "./bits";
import { raise } from "./segment";

/** The time-stamp counter as this vCPU sees it. */
export function timeStamp(cpu: usize): u64 {
  return <u64>machineTicks() + load<u64>(cpu, CPU_TSC_OFFSET);
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
  const ticks = timeStamp(cpu);
  store<u32>(cpu, budget, CPU_BUDGET);
  return ticks;
}
