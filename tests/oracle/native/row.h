// SPDX-License-Identifier: Apache-2.0
// One row of the instruction tables: an instruction form and what the generator must know about it.
// README.md describes the text these come from.
#ifndef ISOLA_ORACLE_ROW_H
#define ISOLA_ORACLE_ROW_H

#include <stdbool.h>
#include <stdint.h>
#include "state.h"

enum family { INT, STRING, BRANCH, BITS, SSE, CRYPTO, X87, AVX, RAW, FAMILY_COUNT };
extern const char *const family_names[FAMILY_COUNT];

enum prefix_rule {
  PREFIX_FREE, // no mandatory prefix; 66 is the operand-size prefix, F2 and F3 may be redundant
  PREFIX_NONE, // mandatory absence of 66, F2 and F3
  PREFIX_66,
  PREFIX_F3,
  PREFIX_F2,
};

enum { MAP_ONE_BYTE, MAP_0F, MAP_0F38, MAP_0F3A };
enum { VEX_NO, VEX_YES };
enum { ANY_VALUE = 2 }; // of vex_l and vex_w: the bit is ignored or selects a size, so take either

// An operand: the place in SDM 2D A.2.1 notation, and the size or kind of the value in it.
enum place {
  P_END, P_E /* rm */, P_G /* reg */, P_M /* memory only */, P_R /* rm register only */, P_Z /* opcode bits 0-2 */,
  P_B /* VEX.vvvv general */, P_V /* reg vector */, P_W /* rm vector */, P_U /* rm vector register only */,
  P_H /* vvvv vector */, P_L /* vector in imm8[7:4] */, P_P /* reg MMX */, P_Q /* rm MMX */, P_N /* rm MMX register only */,
  P_T /* rm x87 register */, P_I /* immediate */, P_J /* branch displacement */, P_O /* memory offset */,
  P_IMPLICIT, // a fixed general register
};
enum value_kind {
  K_B, K_W, K_D, K_Q, K_V /* operand size */, K_ZI /* operand size, at most 4 */, K_Y /* 4 or 8 */, K_X /* 16, or 32 with VEX.L */,
  K_PS, K_PD, K_SS, K_SD, K_EXTENDED, K_BCD, K_ENVIRONMENT, K_FSAVE, K_FXSAVE, K_XSAVE, K_MXCSR, K_FCW, K_SHA, K_BOUNDS,
  K_HALF_PS /* half a vector of singles */, K_HALF /* half a vector of integers */, K_QUARTER, K_EIGHTH, K_F16, K_XMM /* 16 always */,
};
struct operand {
  uint8_t place;
  uint8_t kind;
  uint8_t gpr; // for P_IMPLICIT
};

enum row_class {
  C_PLAIN, C_SHIFT, C_ROTATE, C_DOUBLE_SHIFT, C_DIVIDE, C_BIT_STRING, C_BIT_SCAN, C_BYTE_SWAP, C_STRING_MOVE, C_STRING_COMPARE,
  C_STRING_STORE, C_STRING_SCAN, C_STRING_LOAD, C_STRING_IO, C_PUSH, C_POP, C_POP_FLAGS, C_PUSH_FLAGS, C_PUSH_ALL, C_POP_ALL,
  C_ENTER, C_LEAVE, C_CALL, C_RETURN, C_BRANCH, C_LOOP, C_XLAT, C_MASKED_STORE, C_GATHER, C_COMPARE_EXCHANGE,
  C_F2XM1, C_FYL2XP1, C_FPREM, C_TRIGONOMETRIC, C_SEGMENT_STORE, C_NO_ACCESS, C_INTERRUPT, C_XSAVE,
};

struct row {
  char name[20];
  uint8_t family;
  uint8_t prefix;
  uint8_t map;
  uint8_t opcode;
  int8_t extension; // ModRM.reg, or -1
  int16_t fixed_modrm; // or -1
  bool modrm;
  bool vex;
  uint8_t vex_l, vex_w; // 0, 1 or ANY_VALUE
  uint8_t operand_count;
  struct operand operands[5];
  uint8_t row_class;
  bool lockable, only32, only64, default64, force64, approx12, approx_x87, no_step, partial, no_66;
  uint32_t undefined_flags;
  uint16_t undefined_fsw;
  uint8_t weight;
};

enum { MAX_ROWS = 3072 };
extern struct row rows[MAX_ROWS];
extern int row_count;

// Reads every table that is linked into the program.
void rows_load(void);
// Bytes of memory an operand stands for, given the instruction's operand size and vector length.
int kind_size(int kind, int operand_size, int vector_size);

#endif
