// SPDX-License-Identifier: Apache-2.0
import { RecordField } from "@isola/engine";
import { TrapResult } from "../cpu/x86-cpu.js";
import { Vector } from "../semantics/x86-emitter.js";
import type { Emulation, TrappedInstruction } from "./trapped-instruction.js";

const CR4_DE = 1n << 3n;
const DR7_GD = 1n << 13n;
const DR6_BD = 1 << 13;
/** BD, BS, BT and B0-B3 can be written; the other bits are fixed at one, bit 12 at zero (SDM 3B figure 18-1). */
const DR6_WRITABLE = 0xe00fn;
const DR6_FIXED = 0xffff_0ff0n;
const DR7_WRITABLE = 0xffff_23ffn;
const DR7_FIXED = 0x400n;

/** Number of the register after aliasing DR4 and DR5; -1 = #UD, -2 = #GP(0), -3 = general detect. */
function check(insn: TrappedInstruction, slot: number): number {
  if (slot > 7) return -1;
  const aliased = slot === 4 || slot === 5;
  if (aliased && (insn.state.get64("cr4") & CR4_DE) !== 0n) return -1;
  if (insn.privilege !== 0) return -2;
  if ((insn.state.get64("dr", 7) & DR7_GD) !== 0n) return -3;
  return aliased ? slot + 2 : slot;
}

function refuse(insn: TrappedInstruction, reason: number): TrapResult {
  if (reason === -1) return insn.fault(Vector.UD);
  if (reason === -2) return insn.fault(Vector.GP);
  insn.state.set("debugPending", DR6_BD);
  return insn.fault(Vector.DB);
}

/** MOV from a debug register. */
export const readDebugRegister: Emulation = (insn) => {
  const number = check(insn, insn.slot(RecordField.Reg));
  if (number < 0) return refuse(insn, number);
  insn.writeSlot(RecordField.Rm, insn.form.operandSize, insn.state.get64("dr", number));
  return TrapResult.Done;
};

/** MOV to a debug register. DR7 decides whether code is stepped and whether accesses are checked. */
export const writeDebugRegister: Emulation = (insn) => {
  const number = check(insn, insn.slot(RecordField.Reg));
  if (number < 0) return refuse(insn, number);
  const value = insn.readSlot(RecordField.Rm, insn.form.operandSize);
  const { state } = insn;
  if (number < 4) {
    state.set64("dr", value, number);
    return TrapResult.Done;
  }
  if (value >> 32n !== 0n) return insn.fault(Vector.GP);
  if (number === 6) state.set64("dr", (value & DR6_WRITABLE) | DR6_FIXED, 6);
  else {
    state.set64("dr", (value & DR7_WRITABLE) | DR7_FIXED, 7);
    insn.helpers.updateMode(insn.cpuRecord);
  }
  return TrapResult.Done;
};
