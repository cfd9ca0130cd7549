// SPDX-License-Identifier: Apache-2.0
import { RecordField } from "@isola/engine";
import { TrapResult } from "../cpu/x86-cpu.js";
import { Gpr, Vector } from "../semantics/x86-emitter.js";
import type { Emulation, TrappedInstruction } from "./trapped-instruction.js";

const CR4_TSD = 1n << 2n;

/** The time-stamp counter as this vCPU sees it. */
export function timeStamp(insn: TrappedInstruction): bigint {
  return BigInt.asUintN(64, insn.ports.time.read() + insn.state.get64("tscOffset"));
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

/** CR4.TSD reserves the counter for ring 0. */
function isForbidden(insn: TrappedInstruction): boolean {
  return insn.privilege !== 0 && (insn.state.get64("cr4") & CR4_TSD) !== 0n;
}

export const rdtsc: Emulation = (insn) => {
  if (isForbidden(insn)) return insn.fault(Vector.GP);
  insn.edxEax = timeStamp(insn);
  return TrapResult.Done;
};

export const rdtscp: Emulation = (insn) => {
  if (isForbidden(insn)) return insn.fault(Vector.GP);
  insn.edxEax = timeStamp(insn);
  insn.state.set64("gpr", insn.state.get64("tscAux") & 0xffff_ffffn, Gpr.RCX);
  return TrapResult.Done;
};

export const rdpid: Emulation = (insn) => {
  insn.writeSlot(RecordField.Rm, 64, insn.state.get64("tscAux") & 0xffff_ffffn);
  return TrapResult.Done;
};
