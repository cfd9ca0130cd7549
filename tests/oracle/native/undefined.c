// SPDX-License-Identifier: Apache-2.0
// Which parts of a result the SDM leaves undefined; they are recorded but not compared.
#include <string.h>
#include "draft.h"

// CF PF AF ZF SF IF DF OF IOPL NT AC ID
enum { FLAGS_COMPARED = 0x247ed5 };

static bool byte_operation(const struct row *row) {
  return row->operand_count > 0 && row->operands[0].kind == K_B;
}

static unsigned shift_count(const struct draft *d, int size) {
  const struct row *row = d->row;
  unsigned count = 1;
  for (int i = 1; i < row->operand_count; i++) {
    if (row->operands[i].place == P_I) count = (unsigned)d->immediate & 0xff;
    if (row->operands[i].place == P_IMPLICIT) count = (unsigned)d->v->in.gpr[RCX] & 0xff;
  }
  return count & (size == 8 ? 63 : 31);
}

static uint64_t source_value(const struct draft *d) {
  uint64_t value = d->v->in.gpr[d->rm];
  if (d->memory) {
    value = 1; // an address that faults
    const uint64_t address = d->address & address_mask(d);
    for (int i = 0; i < d->v->patch_count; i++) {
      if (d->v->patches[i].address == address) memcpy(&value, d->v->patches[i].bytes, 8);
    }
  }
  return d->operand_size == 8 ? value : value & ((1ull << (8 * d->operand_size)) - 1);
}

static void mask_register(struct vector *v, uint8_t gpr, uint64_t compared) {
  v->masked_gpr = gpr;
  v->masked_gpr_compared = compared;
}

static uint32_t undefined_by_class(struct draft *d) {
  struct vector *v = d->v;
  const int size = byte_operation(d->row) ? 1 : d->operand_size;
  switch (d->row->row_class) {
    case C_SHIFT: {
      const unsigned count = shift_count(d, size), bits = (unsigned)(8 * size);
      const bool arithmetic = d->row->extension == 7;
      return (count ? FLAG_AF : 0) | (count > 1 ? FLAG_OF : 0) | (count >= bits && !arithmetic ? FLAG_CF : 0);
    }
    case C_ROTATE: return shift_count(d, size) > 1 ? FLAG_OF : 0;
    case C_DOUBLE_SHIFT: {
      const unsigned count = shift_count(d, size);
      if (count == 0) return 0;
      if (count > (unsigned)(8 * size)) { // only possible with 16 bits: the result is undefined too
        if (d->memory) v->notes |= NOTE_MEMORY_FREE;
        else mask_register(v, d->rm, ~0xffffull);
        return FLAGS_ARITHMETIC;
      }
      return FLAG_AF | (count > 1 ? FLAG_OF : 0);
    }
    case C_BIT_SCAN:
      // A zero source leaves the destination alone, except perhaps its upper half (SDM 2A BSF, footnote).
      if (source_value(d) == 0 && d->operand_size == 4) mask_register(v, d->reg, 0xffffffff);
      return 0;
    case C_BYTE_SWAP:
      if (d->operand_size == 2) mask_register(v, d->opcode_register, ~0xffffull);
      return 0;
  }
  return 0;
}

void mark_undefined(struct draft *d) {
  struct vector *v = d->v;
  v->masked_gpr = NO_GPR;
  v->masked_gpr_compared = ~0ull;
  v->fsw_compared = (uint16_t)~d->row->undefined_fsw;
  v->flags_compared = (uint32_t)FLAGS_COMPARED & ~(d->row->undefined_flags | undefined_by_class(d));
  if (d->row->approx12) v->notes |= NOTE_APPROX_12BIT;
  if (d->row->approx_x87) v->notes |= NOTE_APPROX_X87;
}

// Operands that the CPU reads or writes in several pieces.
static bool accesses_in_pieces(const struct row *row) {
  for (int i = 0; i < row->operand_count; i++) {
    switch (row->operands[i].kind) {
      case K_EXTENDED: case K_BCD: case K_ENVIRONMENT: case K_FSAVE: case K_FXSAVE: case K_XSAVE: return true;
    }
  }
  return row->partial;
}

void mark_outcome(struct vector *v, const struct row *row) {
  if (v->outcome.what != OUTCOME_COMPLETED && row->partial) v->notes |= NOTE_MEMORY_FREE;
  const bool fault = v->outcome.what == 13 || v->outcome.what == 14 || v->outcome.what == 17;
  if (accesses_in_pieces(row) && (fault || (v->in.flags & FLAG_AC))) v->notes |= NOTE_MODEL_FAULT;
}
