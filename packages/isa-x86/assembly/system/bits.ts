// SPDX-License-Identifier: Apache-2.0
// Bits of EFLAGS, control registers and EFER that the system helpers test.

const FLAG_CF: u32 = 1 << 0;
const FLAG_PF: u32 = 1 << 2;
const FLAG_AF: u32 = 1 << 4;
export const FLAG_ZF: u32 = 1 << 6;
const FLAG_SF: u32 = 1 << 7;
export const FLAG_TF: u32 = 1 << 8;
export const FLAG_IF: u32 = 1 << 9;
export const FLAG_DF: u32 = 1 << 10;
const FLAG_OF: u32 = 1 << 11;
export const FLAG_IOPL: u32 = 3 << 12;
export const FLAG_NT: u32 = 1 << 14;
export const FLAG_RF: u32 = 1 << 16;
export const FLAG_VM: u32 = 1 << 17;
export const FLAG_AC: u32 = 1 << 18;
export const FLAG_VIF: u32 = 1 << 19;
export const FLAG_VIP: u32 = 1 << 20;
export const FLAG_ID: u32 = 1 << 21;

export const ARITHMETIC_FLAGS: u32 = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF;
/** Every flag that software can change; the rest reads as zero, bit 1 as one. */
export const ALL_FLAGS: u32 =
  ARITHMETIC_FLAGS |
  FLAG_TF |
  FLAG_IF |
  FLAG_DF |
  FLAG_IOPL |
  FLAG_NT |
  FLAG_RF |
  FLAG_VM |
  FLAG_AC |
  FLAG_VIF |
  FLAG_VIP |
  FLAG_ID;

export const CR0_PE: u64 = 1 << 0;
export const CR0_EM: u64 = 1 << 2;
export const CR0_TS: u64 = 1 << 3;
export const CR0_NW: u64 = 1 << 29;
export const CR0_CD: u64 = 1 << 30;
export const CR0_PG: u64 = 1 << 31;
export const CR0_WP: u64 = 1 << 16;
export const CR0_AM: u64 = 1 << 18;

export const CR4_VME: u64 = 1 << 0;
export const CR4_PVI: u64 = 1 << 1;
export const CR4_TSD: u64 = 1 << 2;
export const CR4_DE: u64 = 1 << 3;
export const CR4_PSE: u64 = 1 << 4;
export const CR4_PAE: u64 = 1 << 5;
export const CR4_PGE: u64 = 1 << 7;
export const CR4_OSFXSR: u64 = 1 << 9;
export const CR4_FSGSBASE: u64 = 1 << 16;
export const CR4_PCIDE: u64 = 1 << 17;
export const CR4_OSXSAVE: u64 = 1 << 18;
export const CR4_SMEP: u64 = 1 << 20;
export const CR4_SMAP: u64 = 1 << 21;

export const EFER_SCE: u64 = 1 << 0;
export const EFER_LME: u64 = 1 << 8;
export const EFER_NXE: u64 = 1 << 11;
export const EFER_LMA: u64 = 1 << 10;

export const VECTOR_DB: u32 = 1;
export const VECTOR_NMI: u32 = 2;
export const VECTOR_BP: u32 = 3;
export const VECTOR_OF: u32 = 4;
export const VECTOR_UD: u32 = 6;
export const VECTOR_DF: u32 = 8;
export const VECTOR_TS: u32 = 10;
export const VECTOR_NP: u32 = 11;
export const VECTOR_SS: u32 = 12;
export const VECTOR_GP: u32 = 13;
export const VECTOR_PF: u32 = 14;
export const VECTOR_AC: u32 = 17;
export const VECTOR_CP: u32 = 21;

/** Value of CPU_FAULT while a page must be fetched before the access can be repeated. */
export const FAULT_PAGE_ABSENT: u32 = 0x100;
/** Value of CPU_FAULT after a triple fault in the middle of an instruction (task switch). 0x200 is FAULT_INTERPRET. */
export const FAULT_SHUTDOWN: u32 = 0x400;
