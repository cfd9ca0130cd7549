// SPDX-License-Identifier: Apache-2.0

/** General registers that a boot protocol may set; the others start at zero. */
export type BootRegister = "rax" | "rbx" | "rcx" | "rdx" | "rsi" | "rdi" | "rbp" | "rsp";

/** A segment register with its hidden part. */
export interface SegmentState {
  readonly selector: number;
  readonly base: number;
  /** Limit in bytes, granularity applied. */
  readonly limit: number;
  /** Bits 8-23 of the descriptor's second word (type, S, DPL, P, AVL, L, D/B, G), limit bits cleared. */
  readonly attributes: number;
}

export interface TableRegister {
  readonly base: number;
  readonly limit: number;
}

/**
 * What the first processor looks like when guest code begins, as plain data. Everything that is not named here has its
 * value after RESET. All values are below 2^53.
 */
export interface BootState {
  readonly rip: number;
  readonly rflags: number;
  readonly registers: { readonly [K in BootRegister]?: number };
  readonly cr0: number;
  readonly cr3: number;
  readonly cr4: number;
  readonly efer: number;
  readonly gdtr: TableRegister;
  readonly idtr: TableRegister;
  readonly cs: SegmentState;
  /** DS, ES, FS, GS and SS. */
  readonly data: SegmentState;
  readonly tr: SegmentState;
}

export const CR0_PE = 1;
export const CR0_ET = 0x10;
export const CR0_NE = 0x20;
export const CR0_PG = 0x8000_0000;
export const CR4_PAE = 0x20;
export const EFER_LME = 0x100;
export const EFER_LMA = 0x400;
/** Bit 1 of RFLAGS always reads as one. */
export const RFLAGS_RESERVED = 2;
