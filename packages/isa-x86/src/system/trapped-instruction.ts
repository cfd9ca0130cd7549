// SPDX-License-Identifier: Apache-2.0
import { RecordField } from "@isola/engine";
import type { CpuState } from "../cpu/cpu-state.js";
import type { Helpers } from "../cpu/helpers.js";
import { type X86Cpu, TrapResult } from "../cpu/x86-cpu.js";
import type { Vector } from "../semantics/x86-emitter.js";
import { Gpr } from "../semantics/x86-emitter.js";
import type { Form } from "../table/form.js";
import type { SystemPorts } from "./ports.js";

/** CF PF AF ZF SF OF. */
export const ARITHMETIC_FLAGS_MASK = 0x8d5;

/** The instruction that a vCPU has trapped on, and what its emulation works with. One object a vCPU, used again. */
export class TrappedInstruction {
  readonly state: CpuState;
  readonly helpers: Helpers;
  /** Address of the CPU record, for helpers. */
  readonly cpuRecord: number;
  /** Address of the instruction's record. */
  record = 0;

  constructor(
    readonly cpu: X86Cpu,
    readonly ports: SystemPorts,
    public form: Form,
  ) {
    this.state = cpu.state;
    this.helpers = cpu.engine.helpers;
    this.cpuRecord = cpu.record;
  }

  /** Leaves an exception in the CPU record. */
  fault(vector: Vector, error = 0): TrapResult {
    this.state.set("fault", vector + 1);
    this.state.set("faultError", error);
    return TrapResult.Fault;
  }

  /** Whether a helper has left an exception. */
  get faulted(): boolean {
    return this.state.get("fault") !== 0;
  }

  get privilege(): number {
    return this.state.get("cpl");
  }

  /** A general-purpose register's low 32 bits, unsigned. */
  gpr32(index: Gpr): number {
    return Number(this.state.get64("gpr", index) & 0xffff_ffffn);
  }

  /** Writes 32 bits to a register; the upper half becomes zero. */
  setGpr32(index: Gpr, value: number): void {
    this.state.set64("gpr", BigInt(value >>> 0), index);
  }

  /** EDX:EAX as one value. */
  get edxEax(): bigint {
    return (BigInt(this.gpr32(Gpr.RDX)) << 32n) | BigInt(this.gpr32(Gpr.RAX));
  }

  set edxEax(value: bigint) {
    this.state.set64("gpr", value & 0xffff_ffffn, Gpr.RAX);
    this.state.set64("gpr", (value >> 32n) & 0xffff_ffffn, Gpr.RDX);
  }

  /** A 16-bit slot of the record: the offset of a register in the CPU record, or the number of a control register. */
  slot(field: RecordField.Reg | RecordField.Rm): number {
    return this.state.view.getUint16(this.record + field, true);
  }

  /** The low half of the record's immediate, unsigned. */
  get immediate(): number {
    return this.state.view.getUint32(this.record + RecordField.Immediate, true);
  }

  /** The register in a slot, with the operand's size of 16, 32 or 64 bits. */
  readSlot(field: RecordField.Reg | RecordField.Rm, size: number): bigint {
    const value = this.state.view.getBigUint64(this.cpuRecord + this.slot(field), true);
    return BigInt.asUintN(size, value);
  }

  writeSlot(field: RecordField.Reg | RecordField.Rm, size: number, value: bigint): void {
    const at = this.cpuRecord + this.slot(field);
    if (size === 16) this.state.view.setUint16(at, Number(value & 0xffffn), true);
    else this.state.view.setBigUint64(at, BigInt.asUintN(size, value), true);
  }
}

/** Emulates one instruction in plain TypeScript. */
export type Emulation = (insn: TrappedInstruction) => TrapResult;
