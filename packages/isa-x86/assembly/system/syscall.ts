// SPDX-License-Identifier: Apache-2.0
// SYSCALL, SYSRET, SYSENTER, SYSEXIT (SDM 3A 5.8.7, 5.8.8): ring changes without descriptor tables. Also SWAPGS, the
// FSGSBASE instructions and the model-specific registers of the same bases.
import {
  CPU_CPL,
  CPU_CR4,
  CPU_EFER,
  CPU_EFLAGS,
  CPU_GPR,
  CPU_GS_BASE,
  CPU_KERNEL_GS_BASE,
  CPU_LSTAR,
  CPU_RIP,
  CPU_SFMASK,
  CPU_STAR,
  CPU_STEP_TRAP,
  CPU_SYSENTER_CS,
  CPU_SYSENTER_EIP,
  CPU_SYSENTER_ESP,
  CPU_FS_BASE,
} from "../generated/layout";
import { nextRip } from "../lookup";
import { ALL_FLAGS, CR4_FSGSBASE, EFER_SCE, FLAG_IF, FLAG_RF, FLAG_TF, FLAG_VM, VECTOR_GP, VECTOR_UD } from "./bits";
import { readFlags, replaceFlags } from "./flags";
import { updatePrivilege } from "./mode";
import { CS, currentPrivilege, is64Bit, isCanonical, isLongMode, isProtected, raise, setSegment, SS } from "./segment";

const RCX: usize = CPU_GPR + 1 * 8;
const RDX: usize = CPU_GPR + 2 * 8;
const RSP: usize = CPU_GPR + 4 * 8;
const R11: usize = CPU_GPR + 11 * 8;

// Access rights of the fixed segments, DPL to be added: G, P, S and the type code-read-accessed or data-write-accessed.
const CODE64: u32 = 0xa09b;
const CODE32: u32 = 0xc09b;
const DATA: u32 = 0xc093;

function loadFlatCode(cpu: usize, selector: u32, privilege: u32, long: bool): void {
  setSegment(cpu, CS, (selector & 0xfffc) | privilege, 0, 0xffff_ffff, (long ? CODE64 : CODE32) | (privilege << 5));
  store<u32>(cpu, privilege, CPU_CPL);
}

function loadFlatStack(cpu: usize, selector: u32, privilege: u32): void {
  setSegment(cpu, SS, (selector & 0xfffc) | privilege, 0, 0xffff_ffff, DATA | (privilege << 5));
}

/** SYSCALL; #UD unless enabled and in 64-bit mode. */
export function systemCall(cpu: usize, rec: usize): void {
  if ((load<u64>(cpu, CPU_EFER) & EFER_SCE) == 0 || !is64Bit(cpu)) {
    raise(cpu, VECTOR_UD, 0);
    return;
  }
  const star = <u32>(load<u64>(cpu, CPU_STAR) >> 32);
  const flags = readFlags(cpu) & ~FLAG_RF;
  store<u64>(cpu, nextRip(cpu, rec), RCX);
  store<u64>(cpu, <u64>flags, R11);
  store<u64>(cpu, load<u64>(cpu, CPU_LSTAR), CPU_RIP);
  loadFlatCode(cpu, star & 0xffff, 0, true);
  loadFlatStack(cpu, (star & 0xffff) + 8, 0);
  replaceFlags(cpu, 0, <u32>load<u64>(cpu, CPU_SFMASK) | FLAG_RF);
  settle(cpu);
}

/** After SYSCALL and SYSRET it is the new TF that decides about a single-step trap. */
function settle(cpu: usize): void {
  store<u32>(cpu, load<u32>(cpu, CPU_EFLAGS) & FLAG_TF, CPU_STEP_TRAP);
  updatePrivilege(cpu);
}

/** SYSRET; `bytes` is the operand size: 8 returns to 64-bit code, otherwise to 32-bit code. */
export function systemReturn(cpu: usize, rec: usize, bytes: u32): void {
  if ((load<u64>(cpu, CPU_EFER) & EFER_SCE) == 0 || !is64Bit(cpu)) {
    raise(cpu, VECTOR_UD, 0);
    return;
  }
  const long = bytes == 8;
  const target = load<u64>(cpu, RCX);
  if (currentPrivilege(cpu) != 0 || (long && !isCanonical(target))) {
    raise(cpu, VECTOR_GP, 0);
    return;
  }
  const star = <u32>(load<u64>(cpu, CPU_STAR) >> 48);
  store<u64>(cpu, long ? target : target & 0xffff_ffff, CPU_RIP);
  loadFlatCode(cpu, long ? star + 16 : star, 3, long);
  loadFlatStack(cpu, star + 8, 3);
  replaceFlags(cpu, <u32>load<u64>(cpu, R11), ALL_FLAGS & ~(FLAG_RF | FLAG_VM));
  settle(cpu);
}

/** SYSENTER. */
export function systemEnter(cpu: usize, rec: usize): void {
  const selector = <u32>load<u64>(cpu, CPU_SYSENTER_CS) & 0xffff;
  if (!isProtected(cpu) || (selector & 0xfffc) == 0) {
    raise(cpu, VECTOR_GP, 0);
    return;
  }
  const long = isLongMode(cpu);
  const mask: u64 = long ? <u64>-1 : 0xffff_ffff;
  replaceFlags(cpu, 0, FLAG_IF | FLAG_VM | FLAG_RF);
  store<u64>(cpu, load<u64>(cpu, CPU_SYSENTER_ESP) & mask, RSP);
  store<u64>(cpu, load<u64>(cpu, CPU_SYSENTER_EIP) & mask, CPU_RIP);
  loadFlatCode(cpu, selector, 0, long);
  loadFlatStack(cpu, (selector & 0xfffc) + 8, 0);
  updatePrivilege(cpu);
}

/** SYSEXIT; `bytes` is the operand size: 8 returns to 64-bit code, otherwise to 32-bit code. */
export function systemExit(cpu: usize, rec: usize, bytes: u32): void {
  const selector = <u32>load<u64>(cpu, CPU_SYSENTER_CS) & 0xfffc;
  const long = bytes == 8;
  const rsp = load<u64>(cpu, RCX);
  const rip = load<u64>(cpu, RDX);
  const bad = long && (!isCanonical(rsp) || !isCanonical(rip));
  if (!isProtected(cpu) || selector == 0 || currentPrivilege(cpu) != 0 || bad) {
    raise(cpu, VECTOR_GP, 0);
    return;
  }
  const mask: u64 = long ? <u64>-1 : 0xffff_ffff;
  store<u64>(cpu, rsp & mask, RSP);
  store<u64>(cpu, rip & mask, CPU_RIP);
  loadFlatCode(cpu, selector + (long ? 32 : 16), 3, long);
  loadFlatStack(cpu, selector + (long ? 40 : 24), 3);
  updatePrivilege(cpu);
}

/** SWAPGS; #UD outside 64-bit mode, #GP(0) outside ring 0. */
export function swapGs(cpu: usize): void {
  if (!is64Bit(cpu)) raise(cpu, VECTOR_UD, 0);
  else if (currentPrivilege(cpu) != 0) raise(cpu, VECTOR_GP, 0);
  else {
    const base = load<u64>(cpu, CPU_GS_BASE);
    store<u64>(cpu, load<u64>(cpu, CPU_KERNEL_GS_BASE), CPU_GS_BASE);
    store<u64>(cpu, base, CPU_KERNEL_GS_BASE);
  }
}

function fsGsBaseAllowed(cpu: usize): bool {
  return (is64Bit(cpu) && (load<u64>(cpu, CPU_CR4) & CR4_FSGSBASE) != 0) || raise(cpu, VECTOR_UD, 0);
}

/** RDFSBASE, or RDGSBASE if `gs`. */
export function readSegmentBase(cpu: usize, gs: u32): u64 {
  return fsGsBaseAllowed(cpu) ? load<u64>(cpu + (gs != 0 ? CPU_GS_BASE : CPU_FS_BASE)) : 0;
}

/** WRFSBASE, or WRGSBASE if `gs`; #GP(0) if `base` is not canonical. */
export function writeSegmentBase(cpu: usize, gs: u32, base: u64): void {
  if (!fsGsBaseAllowed(cpu)) return;
  if (!isCanonical(base)) raise(cpu, VECTOR_GP, 0);
  else store<u64>(cpu + (gs != 0 ? CPU_GS_BASE : CPU_FS_BASE), base);
}

const MSR_FS_BASE: u32 = 0xc000_0100;

/** Where the segment base is kept that the MSR in ECX names: FS, GS, or GS behind SWAPGS. 0 for any other MSR. */
function baseRegister(cpu: usize): usize {
  const which = <u32>load<u64>(cpu, RCX) - MSR_FS_BASE;
  if (which > 2 || load<u32>(cpu, CPU_CPL) != 0) return 0;
  return cpu + (which == 0 ? CPU_FS_BASE : which == 1 ? CPU_GS_BASE : CPU_KERNEL_GS_BASE);
}

/** RDMSR of a segment base in ring 0. 0 if it is something else, which src/system emulates. */
export function readBaseRegister(cpu: usize): u32 {
  const field = baseRegister(cpu);
  if (field == 0) return 0;
  const base = load<u64>(field);
  store<u64>(cpu, base & 0xffff_ffff, CPU_GPR);
  store<u64>(cpu, base >> 32, RDX);
  return 1;
}

/** WRMSR of a canonical segment base in ring 0. 0 if it is something else. */
export function writeBaseRegister(cpu: usize): u32 {
  const field = baseRegister(cpu);
  const base = <u64>load<u32>(cpu, CPU_GPR) | (load<u64>(cpu, RDX) << 32);
  if (field == 0 || !isCanonical(base)) return 0;
  store<u64>(field, base);
  return 1;
}
