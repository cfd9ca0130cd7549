// SPDX-License-Identifier: Apache-2.0
import type { TrappedInstruction } from "./trapped-instruction.js";

/** The time-stamp counter as this vCPU sees it. */
export function timeStamp(insn: TrappedInstruction): bigint {
  return BigInt.asUintN(64, insn.helpers.timeStamp(insn.cpuRecord));
}

/** Sets the vCPU's time-stamp counter; IA32_TSC_ADJUST moves by the same amount (SDM 3B 18.17.3). */
export function setTimeStamp(insn: TrappedInstruction, value: bigint): void {
  adjustTimeStamp(insn, value - timeStamp(insn));
}

/** Moves the vCPU's time-stamp counter and IA32_TSC_ADJUST by `delta`. */
export function adjustTimeStamp(insn: TrappedInstruction, delta: bigint): void {
  insn.state.set64("tscOffset", insn.state.get64("tscOffset") + delta);
  insn.state.set64("tscAdjust", insn.state.get64("tscAdjust") + delta);
}
