// SPDX-License-Identifier: Apache-2.0
// Control registers CR0, CR2, CR3 and CR4 (SDM 3A 2.5). CR8 belongs to the local APIC and is not here.
import {
  CPU_CPL,
  CPU_CR0,
  CPU_CR2,
  CPU_CR3,
  CPU_CR4,
  CPU_CS_ATTR,
  CPU_EFER,
  CPU_PDPTE,
  CPU_TR_ATTR,
} from "../generated/layout";
import { flushTlb, switchAddressSpace } from "../address-space";
import { readPhysical } from "../physical";
import {
  CR0_AM,
  CR0_CD,
  CR0_EM,
  CR0_NW,
  CR0_PE,
  CR0_PG,
  CR0_TS,
  CR0_WP,
  CR4_PAE,
  CR4_PCIDE,
  CR4_PGE,
  CR4_PSE,
  CR4_SMAP,
  CR4_SMEP,
  EFER_LMA,
  EFER_LME,
  EFER_NXE,
  VECTOR_GP,
  VECTOR_UD,
} from "./bits";
import { updateMode } from "./mode";
import { ATTR_L, ATTR_UNUSABLE, is64Bit, isLongMode, raise } from "./segment";

/** Writable bits of CR0; ET (bit 4) always reads as one. */
const CR0_MP: u64 = 1 << 1;
const CR0_ET: u64 = 1 << 4;
const CR0_NE: u64 = 1 << 5;
const CR0_WRITABLE: u64 = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG;
/** Changes of these make translations stale. */
const CR0_PAGING: u64 = CR0_PG | CR0_WP | CR0_PE;
/** VME PVI TSD DE PSE PAE MCE PGE PCE OSFXSR OSXMMEXCPT FSGSBASE PCIDE OSXSAVE SMEP SMAP. */
const CR4_WRITABLE: u64 = 0x0037_07ff;
const CR4_PAGING: u64 = CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCIDE | CR4_SMEP | CR4_SMAP;
/** MAXPHYADDR is 40. */
const CR3_RESERVED: u64 = 0xffff_ff00_0000_0000;
const CR3_KEEP: u64 = 0x8000_0000_0000_0000;
/** P, PWT, PCD, available bits and the address of a PAE page-directory-pointer entry. */
const PDPTE_VALID: u64 = 0x0000_00ff_ffff_fe19;

/** Uses PAE paging outside IA-32e mode, which has page-directory-pointer registers. */
function usesPdptes(cr0: u64, cr4: u64, efer: u64): bool {
  return (cr0 & CR0_PG) != 0 && (cr4 & CR4_PAE) != 0 && (efer & EFER_LMA) == 0;
}

/** Loads the four PDPTE registers from `cr3` (SDM 3A 4.4.1); #GP(0) for reserved bits. */
function loadPdptes(cpu: usize, cr3: u64): bool {
  const table = cr3 & 0xffff_ffe0;
  for (let i: u32 = 0; i < 4; i++) {
    const entry = readPhysical(table + ((<u64>i) << 3), 8);
    if ((entry & 1) != 0 && (entry & ~PDPTE_VALID) != 0) return raise(cpu, VECTOR_GP, 0);
  }
  for (let i: u32 = 0; i < 4; i++)
    store<u64>(cpu + CPU_PDPTE + ((<usize>i) << 3), readPhysical(table + ((<u64>i) << 3), 8));
  return true;
}

/** Replaces CR3 and forgets translations as MOV to CR3 does; #GP(0) for bad PDPTEs or reserved bits. */
export function replaceCr3(cpu: usize, value: u64): bool {
  const cr4 = load<u64>(cpu, CPU_CR4);
  const keep = (cr4 & CR4_PCIDE) != 0 && (value & CR3_KEEP) != 0;
  let cr3 = (cr4 & CR4_PCIDE) != 0 ? value & ~CR3_KEEP : value;
  if (isLongMode(cpu)) {
    if ((cr3 & CR3_RESERVED) != 0) return raise(cpu, VECTOR_GP, 0);
  } else {
    cr3 &= 0xffff_ffff;
    if (usesPdptes(load<u64>(cpu, CPU_CR0), cr4, 0) && !loadPdptes(cpu, cr3)) return false;
  }
  store<u64>(cpu, cr3, CPU_CR3);
  switchAddressSpace(cpu, keep);
  return true;
}

/** Value of CR0, CR2, CR3 or CR4 for MOV; #UD for a register that does not exist, #GP(0) outside ring 0. */
export function readControl(cpu: usize, number: u32): u64 {
  if (load<u32>(cpu, CPU_CPL) != 0) {
    raise(cpu, VECTOR_GP, 0);
    return 0;
  }
  if (number == 0) return load<u64>(cpu, CPU_CR0);
  if (number == 2) return load<u64>(cpu, CPU_CR2);
  if (number == 3) return load<u64>(cpu, CPU_CR3);
  if (number == 4) return load<u64>(cpu, CPU_CR4);
  raise(cpu, VECTOR_UD, 0);
  return 0;
}

/** MOV to CR0, CR2, CR3 or CR4. May raise; otherwise execution goes on at the next instruction in the new mode. */
export function writeControl(cpu: usize, number: u32, value: u64): void {
  if (load<u32>(cpu, CPU_CPL) != 0) raise(cpu, VECTOR_GP, 0);
  else if (number == 0) writeCr0(cpu, value);
  else if (number == 2) store<u64>(cpu, value, CPU_CR2);
  else if (number == 3) replaceCr3(cpu, value);
  else if (number == 4) writeCr4(cpu, value);
  else raise(cpu, VECTOR_UD, 0);
}

function writeCr0(cpu: usize, value: u64): bool {
  const old = load<u64>(cpu, CPU_CR0);
  const cr4 = load<u64>(cpu, CPU_CR4);
  let efer = load<u64>(cpu, CPU_EFER);
  if (value >> 32 != 0) return raise(cpu, VECTOR_GP, 0);
  const now = (value & CR0_WRITABLE) | CR0_ET;
  if ((now & (CR0_PG | CR0_PE)) == CR0_PG || (now & (CR0_NW | CR0_CD)) == CR0_NW) return raise(cpu, VECTOR_GP, 0);
  const turnsOn = (now & ~old & CR0_PG) != 0;
  const turnsOff = (old & ~now & CR0_PG) != 0;
  if (turnsOn && (efer & EFER_LME) != 0) {
    // Activating IA-32e mode (SDM 3A 10.8.5) needs PAE and must not happen in a 64-bit code segment or a 16-bit task.
    const code64 = (load<u32>(cpu, CPU_CS_ATTR) & ATTR_L) != 0;
    const tss16 = (load<u32>(cpu, CPU_TR_ATTR) & (ATTR_UNUSABLE | 13)) == 1;
    if ((cr4 & CR4_PAE) == 0 || code64 || tss16) return raise(cpu, VECTOR_GP, 0);
    efer |= EFER_LMA;
  } else if (turnsOff) {
    if (is64Bit(cpu) || (cr4 & CR4_PCIDE) != 0) return raise(cpu, VECTOR_GP, 0);
    efer &= ~EFER_LMA;
  }
  const changed = old ^ now;
  const reload = CR0_PG | CR0_CD | CR0_NW;
  if (usesPdptes(now, cr4, efer) && (changed & reload) != 0 && !loadPdptes(cpu, load<u64>(cpu, CPU_CR3))) return false;
  store<u64>(cpu, efer, CPU_EFER);
  store<u64>(cpu, now, CPU_CR0);
  if ((changed & CR0_PAGING) != 0) flushTlb(cpu);
  updateMode(cpu);
  return true;
}

function writeCr4(cpu: usize, value: u64): bool {
  const old = load<u64>(cpu, CPU_CR4);
  const cr0 = load<u64>(cpu, CPU_CR0);
  const efer = load<u64>(cpu, CPU_EFER);
  const cr3 = load<u64>(cpu, CPU_CR3);
  if ((value & ~CR4_WRITABLE) != 0) return raise(cpu, VECTOR_GP, 0);
  const changed = old ^ value;
  if ((efer & EFER_LMA) != 0 && (value & CR4_PAE) == 0) return raise(cpu, VECTOR_GP, 0);
  if ((changed & value & CR4_PCIDE) != 0 && ((efer & EFER_LMA) == 0 || (cr3 & 0xfff) != 0))
    return raise(cpu, VECTOR_GP, 0);
  const reload = CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP;
  if (usesPdptes(cr0, value, efer) && (changed & reload) != 0 && !loadPdptes(cpu, cr3)) return false;
  store<u64>(cpu, value, CPU_CR4);
  if ((changed & CR4_PAGING) != 0) flushTlb(cpu);
  updateMode(cpu);
  return true;
}

/**
 * WRMSR to IA32_EFER; false for #GP(0). LMA is read-only, LME may change only while paging is off.
 */
export function writeEfer(cpu: usize, value: u64): u32 {
  const old = load<u64>(cpu, CPU_EFER);
  const writable: u64 = 1 | EFER_LME | EFER_NXE;
  if ((value & ~(writable | EFER_LMA)) != 0) return 0;
  const now = (value & writable) | (old & EFER_LMA);
  if (((old ^ now) & EFER_LME) != 0 && (load<u64>(cpu, CPU_CR0) & CR0_PG) != 0) return 0;
  store<u64>(cpu, now, CPU_EFER);
  if (((old ^ now) & EFER_NXE) != 0) flushTlb(cpu);
  updateMode(cpu);
  return 1;
}

/** CLTS: clears CR0.TS; #GP(0) outside ring 0. */
export function clearTaskSwitched(cpu: usize): void {
  if (load<u32>(cpu, CPU_CPL) != 0) {
    raise(cpu, VECTOR_GP, 0);
    return;
  }
  store<u64>(cpu, load<u64>(cpu, CPU_CR0) & ~CR0_TS, CPU_CR0);
  updateMode(cpu);
}

/** LMSW: loads CR0 bits 0-3; PE can be set but not cleared. */
export function loadMachineStatus(cpu: usize, value: u32): void {
  if (load<u32>(cpu, CPU_CPL) != 0) {
    raise(cpu, VECTOR_GP, 0);
    return;
  }
  const cr0 = load<u64>(cpu, CPU_CR0);
  writeCr0(cpu, (cr0 & ~0xe) | <u64>(value & 0xf));
}
