// SPDX-License-Identifier: Apache-2.0
// The part of a CPU that a user-mode instruction can read or change, and what an instruction did to it.
#ifndef ISOLA_ORACLE_STATE_H
#define ISOLA_ORACLE_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, GPR_COUNT = 16 };

enum {
  FLAG_CF = 0x1, FLAG_PF = 0x4, FLAG_AF = 0x10, FLAG_ZF = 0x40, FLAG_SF = 0x80, FLAG_TF = 0x100, FLAG_IF = 0x200,
  FLAG_DF = 0x400, FLAG_OF = 0x800, FLAG_RF = 0x10000, FLAG_AC = 0x40000, FLAG_ID = 0x200000,
  FLAGS_ARITHMETIC = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF,
};

struct cpu_state {
  uint64_t gpr[GPR_COUNT]; // encoding order; 8-15 and the upper halves are zero in 32-bit mode
  uint64_t rip;
  uint32_t flags;
  uint32_t mxcsr;
  uint16_t fcw;
  uint16_t fsw; // TOP included
  uint8_t ftw; // abridged as in FXSAVE: bit i set = physical register i holds something
  uint8_t st[8][10]; // ST(0) first
  uint8_t xmm[16][16];
  uint8_t ymm_high[16][16];
};

enum { OUTCOME_COMPLETED = 255, OUTCOME_FETCH = 254, OUTCOME_HANG = 253 }; // anything else is an exception vector

struct outcome {
  uint8_t what;
  uint32_t error_code;
  uint64_t cr2; // meaningful when what == 14
};

enum { PATCH_SIZE = 512 };

struct memory_patch {
  uint64_t address;
  uint16_t length;
  uint8_t bytes[PATCH_SIZE];
};

enum { MAX_CODE = 15, MAX_PATCHES = 6, MAX_DIFFS = 24, NO_GPR = 255 };

// How far the recorded result binds an implementation.
enum {
  NOTE_APPROX_12BIT = 1, // RCPxS, RSQRTxS: relative error up to 1.5 * 2^-12 (SDM 2B RCPPS)
  NOTE_APPROX_X87 = 2, // transcendental: up to 1 ulp, C1 and the precision flag free
  NOTE_MEMORY_FREE = 4, // the bytes stored are undefined, or a fault came between several stores
  NOTE_MODEL_FAULT = 16, // several accesses in one instruction: which fault comes first, and where, is up to the CPU model
  NOTE_TRAILING_BYTES = 8, // the code may be longer than the instruction (it raised #UD)
};

struct vector {
  uint16_t row;
  uint8_t mode; // 32 or 64
  uint8_t background;
  uint8_t notes;
  uint8_t code_length;
  uint8_t code[MAX_CODE + 1];
  bool single_step; // the second run may use TF
  uint32_t flags_compared;
  uint16_t fsw_compared;
  uint8_t masked_gpr; // a register with partly undefined value, or NO_GPR
  uint64_t masked_gpr_compared;
  struct cpu_state in, out;
  struct outcome outcome;
  uint8_t patch_count;
  struct memory_patch patches[MAX_PATCHES];
  uint8_t diff_count;
  struct memory_patch diffs[MAX_DIFFS];
};

#endif
