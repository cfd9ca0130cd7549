// SPDX-License-Identifier: Apache-2.0
// What all floating-point helpers of SSE instructions do first and last. Operands are in scratch slots 0 and 1, results
// go to slot 0, so that a handler can write the destination after it has looked for a fault.
import { reportedFlags, setFromMxcsr } from "../float/environment";
import { CPU_CR4, CPU_FAULT, CPU_FAULT_ERROR, CPU_MXCSR, CPU_SCRATCH } from "../generated/layout";

const FAULT_UD: u32 = 1 + 6;
const FAULT_XM: u32 = 1 + 19;
const CR4_OSXMMEXCPT: u64 = 1 << 10;
const MASKS_SHIFT: u32 = 7;

/** Distance of scratch slots. */
export const SLOT: usize = 64;

/** First source, and result. */
export function slot0(cpu: usize): usize {
  return cpu + CPU_SCRATCH;
}

/** Second or only source. */
export function slot1(cpu: usize): usize {
  return cpu + CPU_SCRATCH + SLOT;
}

/** Takes rounding and masks from MXCSR. */
export function begin(cpu: usize): void {
  setFromMxcsr(load<u32>(cpu + CPU_MXCSR));
}

/**
 * Adds the exceptions to MXCSR. False after an unmasked one: #XM, or #UD if the system does not know of #XM (SDM 1,
 * 11.5.1).
 */
export function finish(cpu: usize): bool {
  const mxcsr = load<u32>(cpu + CPU_MXCSR);
  const reported = reportedFlags();
  store<u32>(cpu + CPU_MXCSR, mxcsr | reported);
  if ((reported & ~(mxcsr >> MASKS_SHIFT)) == 0) return true;
  store<u32>(cpu + CPU_FAULT, (load<u64>(cpu + CPU_CR4) & CR4_OSXMMEXCPT) != 0 ? FAULT_XM : FAULT_UD);
  store<u32>(cpu + CPU_FAULT_ERROR, 0);
  return false;
}
