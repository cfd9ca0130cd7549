// SPDX-License-Identifier: Apache-2.0
/** Bits of the mode key in the CPU record: everything outside the instruction bytes that decides how they decode. */
export const enum ModeKey {
  /** Bits 0-1: 0 = 16-bit code, 1 = 32-bit, 2 = 64-bit. */
  CodeSizeMask = 3,
  Code16 = 0,
  Code32 = 1,
  Code64 = 2,
  /** SS.B: the stack pointer is ESP. */
  Stack32 = 4,
  /** CS, DS, ES and SS have base 0 and limit 4 GiB, or 64-bit mode: addresses need no checks. */
  Flat = 8,
  /** CR0.EM or CR0.TS: x87 and MMX instructions raise #NM (or #UD). */
  NoX87 = 16,
  NoSse = 32,
  NoAvx = 64,
  /** One instruction a block: single step and instruction breakpoints. */
  Step = 128,
}
