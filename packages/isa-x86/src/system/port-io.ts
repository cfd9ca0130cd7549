// SPDX-License-Identifier: Apache-2.0
import type { AccessSize } from "@isola/memory";
import { cpu as layout, SEGMENT_STRIDE } from "../cpu-layout.js";
import { TrapResult } from "../cpu/x86-cpu.js";
import { ModeKey } from "../decode/mode.js";
import { Gpr } from "../semantics/x86-emitter.js";
import type { TrappedInstruction } from "./trapped-instruction.js";
import { type Emulation } from "./trapped-instruction.js";

const EFLAGS_DF = 1 << 10;
/** Iterations of a repeated instruction before the run loop looks at events again. */
const BATCH = 512;
/** What an iteration takes off the budget of instructions, so that a repeat count of 2^64 does not keep the host. */
const ITERATION_COST = 8;
const ES_BASE = layout.at("esBase");
/** Beside a byte count for segmentAddress: the access is a write. */
const WRITE = 0x100;

/** Width of the access: the low opcode bit tells bytes from words and doublewords. */
function widthOf(insn: TrappedInstruction): AccessSize {
  if ((insn.form.opcode.encoding.opcode & 1) === 0) return 1;
  return insn.form.operandSize === 16 ? 2 : 4;
}

/** E4-E7 have the port in the immediate, EC-EF in DX. */
function portOf(insn: TrappedInstruction): number {
  return (insn.form.opcode.encoding.opcode & 8) === 0 ? insn.immediate & 0xff : insn.gpr32(Gpr.RDX) & 0xffff;
}

/** I/O privilege and I/O breakpoints. False with an exception pending. */
function mayAccess(insn: TrappedInstruction, port: number, size: AccessSize): boolean {
  insn.helpers.checkIo(insn.cpuRecord, port, size);
  if (insn.faulted) return false;
  insn.helpers.checkIoBreakpoint(insn.cpuRecord, port, size);
  return true;
}

export const inPort: Emulation = (insn) => {
  const size = widthOf(insn);
  const port = portOf(insn);
  if (!mayAccess(insn, port, size)) return TrapResult.Fault;
  const value = insn.ports.io.read(port, size);
  if (size === 4) insn.setGpr32(Gpr.RAX, value);
  else {
    const mask = size === 1 ? 0xffn : 0xffffn;
    insn.state.set64("gpr", (insn.state.get64("gpr", Gpr.RAX) & ~mask) | (BigInt(value >>> 0) & mask), Gpr.RAX);
  }
  return TrapResult.Done;
};

export const outPort: Emulation = (insn) => {
  const size = widthOf(insn);
  const port = portOf(insn);
  if (!mayAccess(insn, port, size)) return TrapResult.Fault;
  const value = insn.gpr32(Gpr.RAX);
  insn.ports.io.write(port, size, size === 4 ? value : size === 2 ? value & 0xffff : value & 0xff);
  return TrapResult.Done;
};

/** The registers of a string instruction, in its address size: see the record's immediate in the decoder. */
class StringRegisters {
  readonly mask: bigint;
  readonly repeated: boolean;

  constructor(
    private readonly insn: TrappedInstruction,
    private readonly pointer: Gpr.RSI | Gpr.RDI,
  ) {
    const size = insn.immediate & 3;
    this.mask = size === 0 ? 0xffffn : size === 1 ? 0xffff_ffffn : 0xffff_ffff_ffff_ffffn;
    // F2 repeats INS and OUTS like F3.
    this.repeated = (insn.immediate & 12) !== 0;
  }

  get count(): bigint {
    return this.repeated ? this.insn.state.get64("gpr", Gpr.RCX) & this.mask : 1n;
  }

  get offset(): bigint {
    return this.insn.state.get64("gpr", this.pointer) & this.mask;
  }

  /** One iteration is done. */
  advance(bytes: number): void {
    const back = (this.insn.state.get("eflags") & EFLAGS_DF) !== 0;
    this.add(this.pointer, BigInt(back ? -bytes : bytes));
    if (this.repeated) this.add(Gpr.RCX, -1n);
  }

  /** 16-bit registers keep their upper part, 32-bit ones lose it. */
  private add(register: Gpr, by: bigint): void {
    const { state } = this.insn;
    const old = state.get64("gpr", register);
    const value = (old + by) & this.mask;
    state.set64("gpr", this.mask === 0xffffn ? (old & ~0xffffn) | value : value, register);
  }
}

/** Repeats `iteration` (false = it has faulted) as the prefix asks, up to a batch. */
function repeat(
  insn: TrappedInstruction,
  pointer: Gpr.RSI | Gpr.RDI,
  iteration: (offset: bigint) => boolean,
): TrapResult {
  const { state } = insn;
  const registers = new StringRegisters(insn, pointer);
  const size = widthOf(insn);
  const batch = (state.get("modeKey") & ModeKey.Step) !== 0 ? 1 : BATCH;
  for (let i = 0; i < batch; i++) {
    if (registers.count === 0n) return TrapResult.Done;
    if (!iteration(registers.offset)) return TrapResult.Fault;
    registers.advance(size);
    if (!registers.repeated) return TrapResult.Done;
    state.set("budget", state.get("budget") - ITERATION_COST);
  }
  return registers.count === 0n ? TrapResult.Done : TrapResult.Again;
}

/** INS: the destination is checked before the port is read, since a read may have effects. */
export const insPort: Emulation = (insn) => {
  const size = widthOf(insn);
  const port = insn.gpr32(Gpr.RDX) & 0xffff;
  const { helpers, cpuRecord, record } = insn;
  // Privilege counts even if the repeat count is zero.
  helpers.checkIo(cpuRecord, port, size);
  if (insn.faulted) return TrapResult.Fault;
  return repeat(insn, Gpr.RDI, (offset) => {
    if (!mayAccess(insn, port, size)) return false;
    const linear = helpers.segmentAddress(cpuRecord, record, ES_BASE, offset, size | WRITE);
    if (insn.faulted) return false;
    helpers.checkWrite(cpuRecord, record, linear, size);
    if (insn.faulted) return false;
    helpers.writeGuest(cpuRecord, record, linear, size, BigInt(insn.ports.io.read(port, size) >>> 0));
    return !insn.faulted;
  });
};

/** OUTS from DS:rSI, or the segment that a prefix names. */
export const outsPort: Emulation = (insn) => {
  const size = widthOf(insn);
  const port = insn.gpr32(Gpr.RDX) & 0xffff;
  const segment = ES_BASE + ((insn.immediate >> 8) & 7) * SEGMENT_STRIDE;
  const { helpers, cpuRecord, record } = insn;
  helpers.checkIo(cpuRecord, port, size);
  if (insn.faulted) return TrapResult.Fault;
  return repeat(insn, Gpr.RSI, (offset) => {
    if (!mayAccess(insn, port, size)) return false;
    const linear = helpers.segmentAddress(cpuRecord, record, segment, offset, size);
    if (insn.faulted) return false;
    const value = Number(helpers.readGuest(cpuRecord, record, linear, size) & 0xffff_ffffn);
    if (insn.faulted) return false;
    insn.ports.io.write(port, size, value);
    return true;
  });
};
