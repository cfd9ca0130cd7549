// SPDX-License-Identifier: Apache-2.0
import { TrapResult } from "../cpu/x86-cpu.js";
import { Vector } from "../semantics/x86-emitter.js";
import type { Emulation } from "./trapped-instruction.js";

/** HLT. In `STI; HLT` the shadow of STI ends with this instruction, so that the interrupt wakes the vCPU at once. */
export const hlt: Emulation = (insn) => {
  if (insn.privilege !== 0) return insn.fault(Vector.GP);
  insn.state.set("interruptShadow", 0);
  return TrapResult.Halt;
};

/** PAUSE: the slice is over, so that the vCPU that this one waits for gets the thread. */
export const pause: Emulation = (insn) => {
  insn.cpu.requestExit();
  return TrapResult.Done;
};
