// SPDX-License-Identifier: Apache-2.0
import type { CpuField } from "../cpu-layout.js";
import { TrapResult } from "../cpu/x86-cpu.js";
import { Gpr, Vector } from "../semantics/x86-emitter.js";
import { isCanonical } from "./control-register.js";
import { Msr, VARIABLE_MTRRS } from "./msr-number.js";
import { adjustTimeStamp, setTimeStamp, timeStamp } from "./time-stamp.js";
import type { Emulation, TrappedInstruction } from "./trapped-instruction.js";

const MASK32 = 0xffff_ffffn;

/** Registers that are plain storage, with what may be written: any value, a canonical address, or these bits. */
const STORED: ReadonlyMap<number, readonly [field: CpuField, writable: bigint | "canonical"]> = new Map<
  number,
  readonly [CpuField, bigint | "canonical"]
>([
  [Msr.Star, ["star", -1n]],
  [Msr.Lstar, ["lstar", "canonical"]],
  [Msr.Cstar, ["cstar", "canonical"]],
  [Msr.Fmask, ["sfmask", MASK32]],
  [Msr.FsBase, ["fsBase", "canonical"]],
  [Msr.GsBase, ["gsBase", "canonical"]],
  [Msr.KernelGsBase, ["kernelGsBase", "canonical"]],
  [Msr.TscAux, ["tscAux", MASK32]],
  [Msr.SysenterCs, ["sysenterCs", MASK32]],
  [Msr.SysenterEsp, ["sysenterEsp", "canonical"]],
  [Msr.SysenterEip, ["sysenterEip", "canonical"]],
  // Fast strings, TCC, limit CPUID, xTPR, XD disable and the two read-only "unavailable" bits, which keep their value.
  [Msr.MiscEnable, ["miscEnable", -1n]],
  [Msr.McgStatus, ["mcgStatus", 7n]],
  // LBR and BTF can be set; branches are neither recorded nor trapped on.
  [Msr.DebugControl, ["debugControl", 3n]],
  [Msr.MtrrDefType, ["mtrrDefType", 0xcffn]],
  // IBRS, STIBP and BHI_DIS_S: nothing is predicted here, so they are kept and mean nothing.
  [Msr.SpecCtrl, ["speculationControl", 0x403n]],
]);

/** Registers that always read the same; writes to those marked true are ignored, to the others #GP(0). */
const CONSTANT: ReadonlyMap<number, readonly [value: bigint, writesIgnored: boolean]> = new Map([
  [Msr.PlatformId, [0n, false]],
  // Locked, with no optional feature (VMX, SGX) enabled.
  [Msr.FeatureControl, [1n, false]],
  [Msr.BiosUpdateTrigger, [0n, true]],
  // Microcode revision 1 in the upper half.
  [Msr.BiosSignId, [1n << 32n, true]],
  // Eight variable ranges, fixed ranges, write-combining.
  [Msr.MtrrCap, [0x500n | BigInt(VARIABLE_MTRRS), false]],
  // RDCL_NO, IBRS_ALL, SKIP_L1DFL_VMENTRY, SSB_NO, MDS_NO, IF_PSCHANGE_MC_NO, TAA_NO, SBDR_SSDP_NO, FBSDP_NO, PSDP_NO,
  // BHI_NO, PBRSB_NO, GDS_NO, RFDS_NO, ITS_NO: an interpreter speculates over nothing of the guest's. IBRS_ALL ("enhanced
  // IBRS") is how a system learns that it needs no software defence of indirect branches.
  [Msr.ArchCapabilities, [archCapabilities(), false]],
  // No machine-check banks.
  [Msr.McgCap, [0n, false]],
]);

function archCapabilities(): bigint {
  return [0, 1, 3, 4, 5, 6, 8, 13, 14, 15, 20, 24, 26, 27, 62].reduce((bits, bit) => bits | (1n << BigInt(bit)), 0n);
}

/** Memory types that PAT entries and MTRRs may name: UC WC WT WP WB, and UC- in the PAT only. */
function isMemoryType(type: bigint, uncachedMinus: boolean): boolean {
  return type === 0n || type === 1n || (type >= 4n && type <= 6n) || (uncachedMinus && type === 7n);
}

function allMemoryTypes(value: bigint, uncachedMinus: boolean): boolean {
  for (let shift = 0n; shift < 64n; shift += 8n)
    if (!isMemoryType((value >> shift) & 0xffn, uncachedMinus)) return false;
  return true;
}

/** Field and index of an MTRR, or null. */
function mtrrOf(msr: number): readonly [field: "mtrrFixed" | "mtrrVariable", index: number] | null {
  if (msr >= Msr.MtrrPhysBase0 && msr < Msr.MtrrPhysBase0 + 2 * VARIABLE_MTRRS)
    return ["mtrrVariable", msr - Msr.MtrrPhysBase0];
  if (msr === Msr.MtrrFix64K) return ["mtrrFixed", 0];
  if (msr === Msr.MtrrFix16K || msr === Msr.MtrrFix16K + 1) return ["mtrrFixed", 1 + msr - Msr.MtrrFix16K];
  if (msr >= Msr.MtrrFix4K && msr < Msr.MtrrFix4K + 8) return ["mtrrFixed", 3 + msr - Msr.MtrrFix4K];
  return null;
}

/** Whether the local APIC holds the register. */
function isApicRegister(msr: number): boolean {
  return msr === Msr.ApicBase || msr === Msr.TscDeadline || (msr >= Msr.X2apicFirst && msr <= Msr.X2apicLast);
}

/** Value of a register, or null for #GP(0). */
export function readMsr(insn: TrappedInstruction, msr: number): bigint | null {
  const { state } = insn;
  if (isApicRegister(msr)) {
    const low = insn.ports.apicRegisters.readMsr(msr);
    return low < 0 ? null : (BigInt(insn.ports.apicRegisters.high >>> 0) << 32n) | BigInt(low);
  }
  const stored = STORED.get(msr);
  if (stored !== undefined) return state.get64(stored[0]);
  const constant = CONSTANT.get(msr);
  if (constant !== undefined) return constant[0];
  const mtrr = mtrrOf(msr);
  if (mtrr !== null) return state.get64(mtrr[0], mtrr[1]);
  switch (msr) {
    case Msr.Tsc:
      return timeStamp(insn);
    case Msr.TscAdjust:
      return state.get64("tscAdjust");
    case Msr.Efer:
      return state.get64("efer");
    case Msr.Pat:
      return state.get64("pat");
    case Msr.PlatformInfo:
      // Bits 8-15: the ratio of the TSC to the 100 MHz bus clock.
      return BigInt(Math.max(1, Math.round(insn.ports.time.frequency / 100_000_000)) & 0xff) << 8n;
    default:
      return null;
  }
}

/** Writes a register; false for #GP(0). */
export function writeMsr(insn: TrappedInstruction, msr: number, value: bigint): boolean {
  const { state } = insn;
  if (isApicRegister(msr)) return insn.ports.apicRegisters.writeMsr(msr, Number(value & MASK32), Number(value >> 32n));
  const stored = STORED.get(msr);
  if (stored !== undefined) return store(insn, stored[0], stored[1], value);
  const constant = CONSTANT.get(msr);
  if (constant !== undefined) return constant[1];
  const mtrr = mtrrOf(msr);
  if (mtrr !== null) {
    if (mtrr[0] === "mtrrFixed" ? !allMemoryTypes(value, false) : value >> 40n !== 0n) return false;
    state.set64(mtrr[0], value, mtrr[1]);
    return true;
  }
  switch (msr) {
    case Msr.Tsc:
      setTimeStamp(insn, value);
      return true;
    case Msr.PredCmd:
      // IBPB, write-only.
      return (value & ~1n) === 0n;
    case Msr.TscAdjust:
      adjustTimeStamp(insn, value - state.get64("tscAdjust"));
      return true;
    case Msr.Efer:
      return insn.helpers.writeEfer(insn.cpuRecord, value) !== 0;
    case Msr.Pat:
      if (!allMemoryTypes(value, true)) return false;
      state.set64("pat", value);
      return true;
    default:
      return false;
  }
}

function store(insn: TrappedInstruction, field: CpuField, writable: bigint | "canonical", value: bigint): boolean {
  const ok = writable === "canonical" ? isCanonical(value) : (value & ~BigInt.asUintN(64, writable)) === 0n;
  if (ok) insn.state.set64(field, value);
  return ok;
}

export const rdmsr: Emulation = (insn) => {
  if (insn.privilege !== 0) return insn.fault(Vector.GP);
  const value = readMsr(insn, insn.gpr32(Gpr.RCX));
  if (value === null) return insn.fault(Vector.GP);
  insn.edxEax = value;
  return TrapResult.Done;
};

export const wrmsr: Emulation = (insn) => {
  if (insn.privilege !== 0 || !writeMsr(insn, insn.gpr32(Gpr.RCX), insn.edxEax)) return insn.fault(Vector.GP);
  return TrapResult.Done;
};
