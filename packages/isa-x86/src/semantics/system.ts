// SPDX-License-Identifier: Apache-2.0
import type { Value } from "@isola/engine";
import type { Operand } from "../table/operand.js";
import { operandAt } from "./integer-operand.js";
import { requirePrivilege, resume } from "./segment.js";
import type { Semantics } from "./semantics.js";
import { Gpr, Vector, type X86Emitter } from "./x86-emitter.js";

const EFLAGS_AC = 1 << 18;
/** CR8 is a register of the local APIC, which is emulated in TypeScript. */
const CR8 = 8;

/** Leaves to the run loop: src/system emulates the instruction. */
export const trap: Semantics = (e) => e.trap();

/** Number of a control register: its slot holds the number itself, not the offset of a field. */
function controlNumber(e: X86Emitter, operand: Operand): Value {
  if (operand.kind !== "control") throw new Error(`${operand.kind} is no control register`);
  return e.sub(e.slotAddress(operand.slot), e.cpu);
}

export const moveFromControl: Semantics = (e, operands, form) => {
  const number = controlNumber(e, operandAt(operands, 1));
  e.if(e.eq(number, e.i32(CR8)), () => e.trap());
  const value = e.callFaultingValue("readControl", [e.cpu, number], "i64");
  e.write(operandAt(operands, 0), form.operandSize === 64 ? value : e.wrap(value));
  resume(e);
};

export const moveToControl: Semantics = (e, operands) => {
  const number = controlNumber(e, operandAt(operands, 0));
  e.if(e.eq(number, e.i32(CR8)), () => e.trap());
  e.callFaulting("writeControl", [e.cpu, number, e.extendU(e.read(operandAt(operands, 1)))]);
  resume(e);
};

/** SMSW: not privileged without UMIP. A register gets as much of CR0 as it can hold. */
export const smsw: Semantics = (e, operands) => {
  const dst = operandAt(operands, 0);
  const cr0 = e.loadState("i64.load", "cr0");
  if (dst.kind === "gpr" && dst.size === 64) e.write(dst, cr0);
  else if (dst.kind === "gpr" && dst.size === 32) e.write(dst, e.wrap(cr0));
  else e.write(dst, e.and(e.wrap(cr0), e.i32(0xffff)));
};

export const lmsw: Semantics = (e, operands) => {
  requirePrivilege(e);
  e.callFaulting("loadMachineStatus", [e.cpu, e.read(operandAt(operands, 0))]);
  resume(e);
};

export const clts: Semantics = (e) => {
  e.callFaulting("clearTaskSwitched", [e.cpu]);
  resume(e);
};

/** INVLPG: the operand is an address that need not be valid. */
export const invlpg: Semantics = (e) => {
  requirePrivilege(e);
  e.callVoid("invalidatePage", [e.cpu, e.linearAddress()]);
  resume(e);
};

/** INVPCID: the type is in the register operand, which has the native size. */
export const invpcid: Semantics = (e, operands) => {
  requirePrivilege(e);
  const type = e.extendU(e.read(operandAt(operands, 0)));
  e.callFaulting("invalidateByPcid", [e.cpu, e.record, type, e.linearAddress()]);
  resume(e);
};

/** RDMSR and WRMSR: segment bases, which kernels write at every context switch, by a helper, all others by src/system. */
export function modelSpecific(helper: "readBaseRegister" | "writeBaseRegister"): Semantics {
  return (e) => {
    e.if(e.eqz(e.call(helper, [e.cpu], "i32")), () => e.trap());
    resume(e);
  };
}

/** The time-stamp counter in EDX:EAX. */
export const rdtsc: Semantics = (e) => {
  const ticks = e.callFaultingValue("readTimeStamp", [e.cpu, e.record], "i64");
  e.writeGpr(Gpr.RAX, 32, e.wrap(ticks));
  e.writeGpr(Gpr.RDX, 32, e.wrap(e.shrU(ticks, 32)));
};

/** RDTSC with the number of the processor in ECX. */
export const rdtscp: Semantics = (e) => {
  rdtsc(e, [], e.form);
  e.writeGpr(Gpr.RCX, 32, e.loadState("i32.load", "tscAux"));
};

export const rdpid: Semantics = (e, operands) => {
  const number = e.loadState("i32.load", "tscAux");
  const dst = operandAt(operands, 0);
  e.write(dst, dst.kind === "gpr" && dst.size === 64 ? e.extendU(number) : number);
};

/** WBINVD and INVD: there are no caches to be written back. */
export const cacheFlush: Semantics = (e) => requirePrivilege(e);

export const swapgs: Semantics = (e) => e.callFaulting("swapGs", [e.cpu]);

export const cli: Semantics = (e) => e.callFaulting("clearInterruptFlag", [e.cpu]);

export const sti: Semantics = (e) => {
  e.callFaulting("setInterruptFlag", [e.cpu]);
  resume(e);
};

/** CLAC and STAC: #UD outside ring 0 (SDM 2A). */
export function setAlignmentCheck(value: 0 | 1): Semantics {
  return (e) => {
    e.raiseIf(e.loadState("i32.load", "cpl"), Vector.UD);
    e.callVoid("changeAccessFlag", [e.cpu, e.i32(value * EFLAGS_AC)]);
  };
}

/** RDPMC: there are no performance counters, so every counter number is invalid. */
export const rdpmc: Semantics = (e) => e.raise(Vector.GP, 0);
