// SPDX-License-Identifier: Apache-2.0
import { RecordField } from "@isola/engine";
import { TrapResult } from "../cpu/x86-cpu.js";
import { Vector } from "../semantics/x86-emitter.js";
import type { Emulation } from "./trapped-instruction.js";

const CR4_PCIDE = 1n << 17n;

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

/** INVPCID (SDM 2A): the descriptor holds a PCID and a linear address. */
export const invpcid: Emulation = (insn) => {
  if (insn.privilege !== 0) return insn.fault(Vector.GP);
  const { state, helpers, cpuRecord, record } = insn;
  const linear = state.get64("effectiveAddress");
  const low = helpers.readGuest(cpuRecord, record, linear, 8);
  if (insn.faulted) return TrapResult.Fault;
  const address = helpers.readGuest(cpuRecord, record, BigInt.asUintN(64, linear + 8n), 8);
  if (insn.faulted) return TrapResult.Fault;
  const type = insn.readSlot(RecordField.Reg, insn.form.operandSize);
  const pcid = Number(low & 0xfffn);
  if (type > 3n || BigInt.asUintN(64, low) >> 12n !== 0n) return insn.fault(Vector.GP);
  const usesPcids = (state.get64("cr4") & CR4_PCIDE) !== 0n;
  switch (Number(type)) {
    case 0:
      if (!isCanonical(BigInt.asUintN(64, address)) || (!usesPcids && pcid !== 0)) return insn.fault(Vector.GP);
      helpers.invalidatePage(cpuRecord, address);
      break;
    case 1:
      if (!usesPcids && pcid !== 0) return insn.fault(Vector.GP);
      helpers.flushPcid(cpuRecord, pcid);
      break;
    default:
      helpers.flushTlb(cpuRecord);
  }
  return TrapResult.Done;
};
