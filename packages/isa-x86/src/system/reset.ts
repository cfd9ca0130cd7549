// SPDX-License-Identifier: Apache-2.0
import { SEGMENT_STRIDE, cpu as layout } from "../cpu-layout.js";
import type { CpuState } from "../cpu/cpu-state.js";
import type { Helpers } from "../cpu/helpers.js";
import { Gpr } from "../semantics/x86-emitter.js";
import { SIGNATURE } from "./cpu-features.js";

/** Data and code segments after reset: present, writable (readable), accessed, 16-bit. */
const DATA = 0x93;
const CODE = 0x9b;
const LDT = 0x82;
const TSS_BUSY = 0x8b;
/** Fast strings on; branch trace and precise sampling unavailable. */
const MISC_ENABLE = 0x1801n;
const PAT = 0x0007_0406_0007_0406n;

/** Numbers of the segment registers in the order of the CPU record. */
const enum Register {
  ES = 0,
  CS = 1,
  GS = 5,
  LDTR = 6,
  TR = 7,
}

function setSegment(state: CpuState, register: number, selector: number, base: bigint, attr: number): void {
  const at = state.base + layout.at("esBase") + register * SEGMENT_STRIDE;
  state.view.setBigUint64(at, base, true);
  const field = (name: "esLimit" | "esAttr" | "esSel"): number => at + layout.at(name) - layout.at("esBase");
  state.view.setUint32(field("esLimit"), 0xffff, true);
  state.view.setUint32(field("esAttr"), attr, true);
  state.view.setUint32(field("esSel"), selector, true);
}

/**
 * Puts a vCPU into the state after INIT (SDM 3A table 10-1): real mode at F000:FFF0, base FFFF0000. `power` also resets
 * what INIT keeps: MSRs, MTRRs, x87 and SSE state, the time-stamp counter's offset.
 */
export function resetCpu(state: CpuState, helpers: Helpers, cpuRecord: number, power: boolean): void {
  for (let i = 0; i < 16; i++) state.set64("gpr", 0n, i);
  state.set64("gpr", BigInt(SIGNATURE), Gpr.RDX);
  state.set("eflags", 2);
  state.set("flagAux", 0);
  state.set64("flagRes", 1n);
  helpers.writeFlags(cpuRecord, 0, 0x8d5);
  state.set64("rip", 0xfff0n);
  for (let register = Register.ES; register <= Register.GS; register++) setSegment(state, register, 0, 0n, DATA);
  setSegment(state, Register.CS, 0xf000, 0xffff_0000n, CODE);
  setSegment(state, Register.LDTR, 0, 0n, LDT);
  setSegment(state, Register.TR, 0, 0n, TSS_BUSY);
  state.set64("gdtrBase", 0n);
  state.set("gdtrLimit", 0xffff);
  state.set64("idtrBase", 0n);
  state.set("idtrLimit", 0xffff);
  // INIT keeps CD and NW; after power-up both are set.
  const caching = power ? 0x6000_0000n : state.get64("cr0") & 0x6000_0000n;
  state.set64("cr0", caching | 0x10n);
  state.set64("cr2", 0n);
  state.set64("cr3", 0n);
  state.set64("cr4", 0n);
  state.set64("efer", 0n);
  for (let i = 0; i < 4; i++) {
    state.set64("dr", 0n, i);
    state.set64("pdpte", 0n, i);
  }
  state.set64("dr", 0xffff_0ff0n, 6);
  state.set64("dr", 0x400n, 7);
  for (const field of ["cpl", "interruptShadow", "halted", "nmiBlocked", "debugPending", "stepTrap", "fault"] as const)
    state.set(field, 0);
  if (power) resetModelSpecific(state);
  helpers.flushTlb(cpuRecord);
  helpers.updateMode(cpuRecord);
}

function resetModelSpecific(state: CpuState): void {
  const zero = [
    "star",
    "lstar",
    "cstar",
    "sfmask",
    "kernelGsBase",
    "sysenterCs",
    "sysenterEsp",
    "sysenterEip",
    "tscAux",
    "tscOffset",
    "tscAdjust",
    "mtrrDefType",
    "mcgStatus",
    "debugControl",
    "speculationControl",
    "fpIp",
    "fpDp",
  ] as const;
  for (const field of zero) state.set64(field, 0n);
  for (let i = 0; i < 11; i++) state.set64("mtrrFixed", 0n, i);
  for (let i = 0; i < 16; i++) state.set64("mtrrVariable", 0n, i);
  state.set64("pat", PAT);
  state.set64("miscEnable", MISC_ENABLE);
  state.set64("xcr0", 1n);
  state.set("mxcsr", 0x1f80);
  // SDM 3A table 10-1: all x87 registers are +0 and valid; software executes FNINIT before use.
  state.set("fcw", 0x40);
  state.set("fsw", 0);
  state.set("fpTop", 0);
  state.set("fpTag", 0xff);
  state.set("fpOpcode", 0);
  state.set("fpCs", 0);
  state.set("fpDs", 0);
  for (let i = 0; i < 8; i++) state.bytes("fpr", i, 16).fill(0);
  for (let i = 0; i < 32; i++) state.bytes("vec", i, 64).fill(0);
}
