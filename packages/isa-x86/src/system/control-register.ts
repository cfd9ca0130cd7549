// SPDX-License-Identifier: Apache-2.0
import { RecordField } from "@isola/engine";
import { TrapResult } from "../cpu/x86-cpu.js";
import { Vector } from "../semantics/x86-emitter.js";
import type { Emulation } from "./trapped-instruction.js";

/** MOV from CR8: the task priority of the local APIC. The other control registers do not trap. */
export const readCr8: Emulation = (insn) => {
  if (insn.privilege !== 0) return insn.fault(Vector.GP);
  insn.writeSlot(RecordField.Rm, 64, BigInt(insn.ports.apic.taskPriority >> 4));
  return TrapResult.Done;
};

/** MOV to CR8. */
export const writeCr8: Emulation = (insn) => {
  const value = insn.readSlot(RecordField.Rm, 64);
  if (insn.privilege !== 0 || value > 15n) return insn.fault(Vector.GP);
  insn.ports.apic.taskPriority = Number(value) << 4;
  return TrapResult.Done;
};

/** Whether bits 47-63 of a linear address are equal. */
export function isCanonical(address: bigint): boolean {
  return BigInt.asUintN(64, BigInt.asIntN(48, address)) === address;
}
