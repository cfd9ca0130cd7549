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
const PAGE = 4096;
const PAGE_OFFSET = 0xfffn;
/** Breakpoints 0-3 in DR7, local and global. */
const ENABLED_BREAKPOINTS = 0xffn;
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

  get backward(): boolean {
    return (this.insn.state.get("eflags") & EFLAGS_DF) !== 0;
  }

  /** Iterations of `bytes` bytes each are done. */
  advance(bytes: number, iterations = 1): void {
    this.add(this.pointer, BigInt((this.backward ? -bytes : bytes) * iterations));
    if (this.repeated) this.add(Gpr.RCX, BigInt(-iterations));
  }

  /** 16-bit registers keep their upper part, 32-bit ones lose it. */
  private add(register: Gpr, by: bigint): void {
    const { state } = this.insn;
    const old = state.get64("gpr", register);
    const value = (old + by) & this.mask;
    state.set64("gpr", this.mask === 0xffffn ? (old & ~0xffffn) | value : value, register);
  }
}

/** A string instruction with a port: what its iterations do. */
interface PortString {
  readonly pointer: Gpr.RSI | Gpr.RDI;
  /** Offset in the CPU record of the segment of memory. */
  readonly segment: number;
  /** Memory is written. */
  readonly writes: boolean;
  /** One iteration with all checks; false if it has faulted. */
  one(offset: bigint): boolean;
  /** Several iterations whose memory lies in one piece at `host` in linear memory. */
  many(host: number, count: number): void;
}

/**
 * Iterations from here on whose memory is in one page of RAM, forward, and needs no checks: up to `limit`, or 0. They
 * make no difference to the guest but time: disks are read through this.
 */
function run(insn: TrappedInstruction, string: PortString, registers: StringRegisters, limit: number): number {
  const { state, helpers, cpuRecord, record } = insn;
  if (registers.backward || (state.get64("dr", 7) & ENABLED_BREAKPOINTS) !== 0n) return 0;
  const size = widthOf(insn);
  const kind = size | (string.writes ? WRITE : 0);
  const { offset, count, mask } = registers;
  const linear = helpers.segmentAddress(cpuRecord, record, string.segment, offset, kind);
  const inPage = (PAGE - Number(linear & PAGE_OFFSET)) / size;
  const beforeWrap = Number(BigInt.asUintN(32, (mask - offset) / BigInt(size))) + 1;
  const iterations = Math.floor(Math.min(limit, inPage, beforeWrap, count > BigInt(limit) ? limit : Number(count)));
  let host = 0;
  if (!insn.faulted && iterations > 1) {
    helpers.segmentAddress(cpuRecord, record, string.segment, offset + BigInt((iterations - 1) * size), kind);
    const find = string.writes ? helpers.hostForWrite : helpers.hostForRead;
    if (!insn.faulted) host = find(cpuRecord, record, linear) >>> 0;
  }
  if (insn.faulted) {
    // The first iteration that faults will say so again.
    state.set("fault", 0);
    return 0;
  }
  if (host === 0) return 0;
  string.many(host, iterations);
  return iterations;
}

/** Does iterations as the prefix asks, up to a batch. */
function repeat(insn: TrappedInstruction, string: PortString): TrapResult {
  const { state } = insn;
  const registers = new StringRegisters(insn, string.pointer);
  const size = widthOf(insn);
  const batch = (state.get("modeKey") & ModeKey.Step) !== 0 ? 1 : BATCH;
  for (let i = 0; i < batch; i++) {
    if (registers.count === 0n) return TrapResult.Done;
    const done = batch - i > 1 && registers.repeated ? run(insn, string, registers, batch - i) : 0;
    if (done > 0) {
      registers.advance(size, done);
      state.set("budget", state.get("budget") - ITERATION_COST * done);
      i += done - 1;
      continue;
    }
    if (!string.one(registers.offset)) return TrapResult.Fault;
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
  const { io } = insn.ports;
  const one = (offset: bigint): boolean => {
    if (!mayAccess(insn, port, size)) return false;
    const linear = helpers.segmentAddress(cpuRecord, record, ES_BASE, offset, size | WRITE);
    if (insn.faulted) return false;
    helpers.checkWrite(cpuRecord, record, linear, size);
    if (insn.faulted) return false;
    helpers.writeGuest(cpuRecord, record, linear, size, BigInt(io.read(port, size) >>> 0));
    return !insn.faulted;
  };
  const many = (host: number, count: number): void => {
    const { view } = insn.state;
    for (let at = host, end = host + count * size; at < end; at += size) {
      const value = io.read(port, size);
      if (size === 1) view.setUint8(at, value);
      else if (size === 2) view.setUint16(at, value, true);
      else view.setUint32(at, value, true);
    }
  };
  return repeat(insn, { pointer: Gpr.RDI, segment: ES_BASE, writes: true, one, many });
};

/** OUTS from DS:rSI, or the segment that a prefix names. */
export const outsPort: Emulation = (insn) => {
  const size = widthOf(insn);
  const port = insn.gpr32(Gpr.RDX) & 0xffff;
  const segment = ES_BASE + ((insn.immediate >> 8) & 7) * SEGMENT_STRIDE;
  const { helpers, cpuRecord, record } = insn;
  helpers.checkIo(cpuRecord, port, size);
  if (insn.faulted) return TrapResult.Fault;
  const { io } = insn.ports;
  const one = (offset: bigint): boolean => {
    if (!mayAccess(insn, port, size)) return false;
    const linear = helpers.segmentAddress(cpuRecord, record, segment, offset, size);
    if (insn.faulted) return false;
    const value = Number(helpers.readGuest(cpuRecord, record, linear, size) & 0xffff_ffffn);
    if (insn.faulted) return false;
    io.write(port, size, value);
    return true;
  };
  const many = (host: number, count: number): void => {
    const { view } = insn.state;
    for (let at = host, end = host + count * size; at < end; at += size)
      io.write(
        port,
        size,
        size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at, true) : view.getUint32(at, true),
      );
  };
  return repeat(insn, { pointer: Gpr.RSI, segment, writes: false, one, many });
};
