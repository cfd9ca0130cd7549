// SPDX-License-Identifier: Apache-2.0
// What all floating-point helpers of SSE instructions do first and last. Operands are in scratch slots 0 and 1, results
// go to slot 0, so that a handler can write the destination after it has looked for a fault.
import { reportedFlags, setFromMxcsr } from "../float/environment";
import { CPU_CR4, CPU_FAULT, CPU_FAULT_ERROR, CPU_MXCSR, CPU_SCRATCH } from "../generated/layout";

const FAULT_UD: u32 = 1 + 6;
const FAULT_XM: u32 = 1 + 19;
const CR4_OSXMMEXCPT: u32 = 1 << 10;
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

/** Whether an exception has been raised that is not masked. */
export function unmasked(cpu: usize): bool {
  const masks = (load<u32>(cpu + CPU_MXCSR) >> MASKS_SHIFT) & 63;
  return (reportedFlags() & ~masks) != 0;
}

/** Adds the exceptions to MXCSR; an unmasked one gives #XM, or #UD if the system does not know of #XM (SDM 1, 11.5.1). */
export function finish(cpu: usize): void {
  const fault = unmasked(cpu);
  store<u32>(cpu + CPU_MXCSR, load<u32>(cpu + CPU_MXCSR) | reportedFlags());
  if (!fault) return;
  store<u32>(cpu + CPU_FAULT, (load<u32>(cpu + CPU_CR4) & CR4_OSXMMEXCPT) != 0 ? FAULT_XM : FAULT_UD);
  store<u32>(cpu + CPU_FAULT_ERROR, 0);
}
