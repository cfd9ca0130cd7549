// SPDX-License-Identifier: Apache-2.0
// Linear to physical addresses: SDM 3A chapter 4. One walker for 32-bit, PAE and 4-level paging.
import {
  CPU_CR0,
  CPU_CR3,
  CPU_CR4,
  CPU_EFER,
  CPU_FAULT,
  CPU_FAULT_ADDRESS,
  CPU_FAULT_ERROR,
  CPU_PDPTE,
  VCPU_COUNTER_PAGE_FAULTS,
  VCPU_COUNTER_PAGE_WALKS,
  VCPU_COUNTER_TLB_MISSES,
} from "./generated/layout";
import { count, countLabel } from "./counters";
import { readPhysical, writePhysical } from "./physical";

export const READ: u32 = 0;
export const WRITE: u32 = 1;
export const EXECUTE: u32 = 2;
/** Beside READ or WRITE: supervisor access to user pages is refused under SMAP whatever EFLAGS.AC says. */
export const IMPLICIT: u32 = 4;

/** Rights and kind of the page in the low bits of a walk's result. */
export const MAY_WRITE: u64 = 1;
export const MAY_EXECUTE: u64 = 2;
export const IS_DIRTY: u64 = 4;
/** The translation outlives changes of CR3. */
export const IS_GLOBAL: u64 = 8;
/** It is part of a page of 2 or 4 MiB, or of 1 GiB. */
export const IS_LARGE: u64 = 16;
export const IS_HUGE: u64 = 32;
/** Result of a walk that raised #PF. */
export const NO_PAGE: u64 = 0xffff_ffff_ffff_ffff;

const P: u64 = 1;
const RW: u64 = 2;
const US: u64 = 4;
const ACCESSED: u64 = 0x20;
const DIRTY: u64 = 0x40;
const PS: u64 = 0x80;
const GLOBAL: u64 = 0x100;
const NX: u64 = 0x8000_0000_0000_0000;
/** Physical-address bits of an entry; MAXPHYADDR is 40. */
const ADDRESS: u64 = 0x0000_00ff_ffff_f000;
const RESERVED_HIGH: u64 = 0x000f_ff00_0000_0000;
const SOFTWARE_HIGH: u64 = 0x7ff0_0000_0000_0000;

const CR0_WP: u64 = 0x1_0000;
const CR0_PG: u64 = 0x8000_0000;
const CR4_PSE: u64 = 0x10;
const CR4_PAE: u64 = 0x20;
const CR4_PGE: u64 = 0x80;
const CR4_SMEP: u64 = 0x10_0000;
const CR4_SMAP: u64 = 0x20_0000;
const EFER_LMA: u64 = 0x400;
const EFER_NXE: u64 = 0x800;

const ERROR_P: u32 = 1;
const ERROR_W: u32 = 2;
const ERROR_U: u32 = 4;
const ERROR_RSVD: u32 = 8;
const ERROR_I: u32 = 16;

/** Addresses of the entries of the walk under way, for setting A and D once the access is known to be allowed. */
let entryAddress: u64 = 0;
let leaf: u64 = 0;
let leafAddress: u64 = 0;
let leafBytes: u32 = 8;
/** IS_LARGE, IS_HUGE or 0. */
let leafKind: u64 = 0;

function pageFault(cpu: usize, linear: u64, code: u32, access: u32, user: bool): u64 {
  count(cpu + VCPU_COUNTER_PAGE_FAULTS);
  const instruction = (access & 3) == EXECUTE;
  let error = code;
  if ((access & 3) == WRITE) error |= ERROR_W;
  if (user) error |= ERROR_U;
  // The I/D bit exists only with NX paging or SMEP.
  const fetchBit = (load<u64>(cpu + CPU_EFER) & EFER_NXE) != 0 || (load<u64>(cpu + CPU_CR4) & CR4_SMEP) != 0;
  if (instruction && fetchBit) error |= ERROR_I;
  store<u32>(cpu + CPU_FAULT, 15);
  store<u32>(cpu + CPU_FAULT_ERROR, error);
  store<u64>(cpu + CPU_FAULT_ADDRESS, linear);
  return NO_PAGE;
}

/** Reads a 64-bit entry that points to a table and marks it accessed. */
function tableEntry(address: u64): u64 {
  const entry = readPhysical(address, 8);
  entryAddress = address;
  return entry;
}

/**
 * Walks the page tables.
 * @param access READ, WRITE or EXECUTE, perhaps with IMPLICIT
 * @param user the access has user privilege
 * @param userPages a supervisor access may touch user pages although SMAP is on (EFLAGS.AC)
 * @returns physical address of the 4 KiB page with rights and kind in bits 0-5, or NO_PAGE with #PF raised in the CPU record
 */
export function walk(cpu: usize, linear: u64, access: u32, user: bool, userPages: bool): u64 {
  countLabel(cpu + VCPU_COUNTER_TLB_MISSES, access & 3);
  const cr0 = load<u64>(cpu + CPU_CR0);
  if ((cr0 & CR0_PG) == 0) return (linear & 0xffff_f000) | MAY_WRITE | MAY_EXECUTE | IS_DIRTY | IS_GLOBAL;
  count(cpu + VCPU_COUNTER_PAGE_WALKS);
  const cr4 = load<u64>(cpu + CPU_CR4);
  const efer = load<u64>(cpu + CPU_EFER);
  const nx = (efer & EFER_NXE) != 0;
  let reserved = nx ? RESERVED_HIGH : RESERVED_HIGH | NX;
  // Bits 52-62 are free for software in IA-32e mode only (SDM 3A tables 4-9 to 4-20).
  if ((efer & EFER_LMA) == 0) reserved |= SOFTWARE_HIGH;

  // Rights of all levels: AND of RW and US, OR of NX.
  let rights: u64 = RW | US;
  let executeDisable: u64 = 0;
  let physical: u64 = 0;
  leafKind = 0;
  const cr3 = load<u64>(cpu + CPU_CR3);

  if ((cr4 & CR4_PAE) == 0) {
    const pdeAddress = (cr3 & 0xffff_f000) | ((linear >> 20) & 0xffc);
    const pde = readPhysical(pdeAddress, 4);
    if ((pde & P) == 0) return pageFault(cpu, linear, 0, access, user);
    rights &= pde;
    if ((pde & PS) != 0 && (cr4 & CR4_PSE) != 0) {
      // PSE-36: bits 13-20 hold address bits 32-39; bit 21 is reserved.
      if ((pde & 0x20_0000) != 0) return pageFault(cpu, linear, ERROR_P | ERROR_RSVD, access, user);
      physical = (pde & 0xffc0_0000) | ((pde & 0x1f_e000) << 19) | (linear & 0x3f_f000);
      leaf = pde;
      leafAddress = pdeAddress;
      leafKind = IS_LARGE;
    } else {
      if ((pde & ACCESSED) == 0) writePhysical(pdeAddress, 4, pde | ACCESSED);
      leafAddress = (pde & 0xffff_f000) | ((linear >> 10) & 0xffc);
      leaf = readPhysical(leafAddress, 4);
      if ((leaf & P) == 0) return pageFault(cpu, linear, 0, access, user);
      rights &= leaf;
      physical = leaf & 0xffff_f000;
    }
    leafBytes = 4;
  } else {
    let table: u64;
    if ((efer & EFER_LMA) != 0) {
      const pml4e = tableEntry((cr3 & ADDRESS) | ((linear >> 36) & 0xff8));
      if ((pml4e & P) == 0) return pageFault(cpu, linear, 0, access, user);
      if ((pml4e & (reserved | PS)) != 0) return pageFault(cpu, linear, ERROR_P | ERROR_RSVD, access, user);
      if ((pml4e & ACCESSED) == 0) writePhysical(entryAddress, 8, pml4e | ACCESSED);
      rights &= pml4e;
      executeDisable |= pml4e;
      const pdpte = tableEntry((pml4e & ADDRESS) | ((linear >> 27) & 0xff8));
      if ((pdpte & P) == 0) return pageFault(cpu, linear, 0, access, user);
      if ((pdpte & reserved) != 0) return pageFault(cpu, linear, ERROR_P | ERROR_RSVD, access, user);
      rights &= pdpte;
      executeDisable |= pdpte;
      if ((pdpte & PS) != 0) {
        if ((pdpte & 0x3fff_e000) != 0) return pageFault(cpu, linear, ERROR_P | ERROR_RSVD, access, user);
        leaf = pdpte;
        leafKind = IS_HUGE;
        leafAddress = entryAddress;
        leafBytes = 8;
        physical = (pdpte & ADDRESS & ~(<u64>0x3fff_ffff)) | (linear & 0x3fff_f000);
        return finish(cpu, linear, access, user, userPages, cr0, cr4, rights, nx && (executeDisable & NX) != 0, physical);
      }
      if ((pdpte & ACCESSED) == 0) writePhysical(entryAddress, 8, pdpte | ACCESSED);
      table = pdpte & ADDRESS;
    } else {
      const pdpte = load<u64>(cpu + CPU_PDPTE + <usize>(((linear >> 30) & 3) << 3));
      if ((pdpte & P) == 0) return pageFault(cpu, linear, 0, access, user);
      table = pdpte & ADDRESS;
    }
    const pde = tableEntry(table | ((linear >> 18) & 0xff8));
    if ((pde & P) == 0) return pageFault(cpu, linear, 0, access, user);
    if ((pde & reserved) != 0) return pageFault(cpu, linear, ERROR_P | ERROR_RSVD, access, user);
    rights &= pde;
    executeDisable |= pde;
    if ((pde & PS) != 0) {
      if ((pde & 0x1f_e000) != 0) return pageFault(cpu, linear, ERROR_P | ERROR_RSVD, access, user);
      leaf = pde;
      leafAddress = entryAddress;
      leafKind = IS_LARGE;
      physical = (pde & ADDRESS & ~(<u64>0x1f_ffff)) | (linear & 0x1f_f000);
    } else {
      if ((pde & ACCESSED) == 0) writePhysical(entryAddress, 8, pde | ACCESSED);
      leaf = tableEntry((pde & ADDRESS) | ((linear >> 9) & 0xff8));
      if ((leaf & P) == 0) return pageFault(cpu, linear, 0, access, user);
      if ((leaf & reserved) != 0) return pageFault(cpu, linear, ERROR_P | ERROR_RSVD, access, user);
      rights &= leaf;
      executeDisable |= leaf;
      leafAddress = entryAddress;
      physical = leaf & ADDRESS;
    }
    leafBytes = 8;
  }
  return finish(cpu, linear, access, user, userPages, cr0, cr4, rights, nx && (executeDisable & NX) != 0, physical);
}

/** Checks the rights that the walk gathered and sets A and D in the leaf. SDM 3A §4.6. */
function finish(
  cpu: usize,
  linear: u64,
  access: u32,
  user: bool,
  userPages: bool,
  cr0: u64,
  cr4: u64,
  rights: u64,
  noExecute: bool,
  physical: u64,
): u64 {
  const kind = access & 3;
  const userPage = (rights & US) != 0;
  let mayWrite = (rights & RW) != 0;
  let mayExecute = !noExecute;
  if (user) {
    if (!userPage) return pageFault(cpu, linear, ERROR_P, access, user);
  } else {
    if ((cr0 & CR0_WP) == 0) mayWrite = true;
    if (userPage) {
      if ((cr4 & CR4_SMEP) != 0) mayExecute = false;
      if (kind != EXECUTE && (cr4 & CR4_SMAP) != 0 && (!userPages || (access & IMPLICIT) != 0))
        return pageFault(cpu, linear, ERROR_P, access, user);
    }
  }
  if (kind == WRITE && !mayWrite) return pageFault(cpu, linear, ERROR_P, access, user);
  if (kind == EXECUTE && !mayExecute) return pageFault(cpu, linear, ERROR_P, access, user);
  const wanted = kind == WRITE ? ACCESSED | DIRTY : ACCESSED;
  if ((leaf & wanted) != wanted) {
    leaf |= wanted;
    writePhysical(leafAddress, leafBytes, leaf);
  }
  let result = physical | leafKind;
  if ((leaf & GLOBAL) != 0 && (cr4 & CR4_PGE) != 0) result |= IS_GLOBAL;
  if (mayWrite) result |= MAY_WRITE;
  if (mayExecute) result |= MAY_EXECUTE;
  if ((leaf & DIRTY) != 0) result |= IS_DIRTY;
  return result;
}
