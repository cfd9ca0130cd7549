// SPDX-License-Identifier: Apache-2.0
import { RecordField } from "@isola/engine";
import { TrapResult } from "../cpu/x86-cpu.js";
import { ARITHMETIC_FLAGS_MASK, type Emulation } from "./trapped-instruction.js";

const CARRY = 1;
const bytes = new Uint8Array(8);
const view = new DataView(bytes.buffer);

/** RDRAND and RDSEED: they always succeed, which CF = 1 says; the other flags become 0. */
export const rdrand: Emulation = (insn) => {
  insn.ports.entropy.fill(bytes);
  insn.writeSlot(RecordField.Rm, insn.form.operandSize, view.getBigUint64(0, true));
  insn.helpers.writeFlags(insn.cpuRecord, CARRY, ARITHMETIC_FLAGS_MASK);
  return TrapResult.Done;
};
