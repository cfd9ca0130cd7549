// SPDX-License-Identifier: Apache-2.0
// Which registers an instruction names, and what is in them.
#include <string.h>
#include "draft.h"
#include "values.h"

static bool may_be_memory(int place) {
  return place == P_E || place == P_M || place == P_W || place == P_Q;
}

static bool must_be_register(int place) {
  return place == P_R || place == P_U || place == P_N || place == P_T;
}

const struct operand *memory_operand(const struct row *row) {
  for (int i = 0; i < row->operand_count; i++) {
    if (may_be_memory(row->operands[i].place)) return &row->operands[i];
  }
  return NULL;
}

static bool register_form_only(const struct row *row) {
  for (int i = 0; i < row->operand_count; i++) {
    if (must_be_register(row->operands[i].place)) return true;
  }
  return false;
}

static int operand_bytes(const struct draft *d, const struct operand *o) {
  if (o->kind == K_F16) return d->vector_size / 2;
  if (d->row->row_class == C_SEGMENT_STORE && d->memory) return 2;
  return kind_size(o->kind, d->operand_size, d->vector_size);
}

static bool is_gpr(int place) {
  return place == P_E || place == P_G || place == P_R || place == P_Z || place == P_B;
}

// Without REX, byte registers 4-7 are AH CH DH BH.
static void set_gpr(struct draft *d, uint8_t reg, int size, uint64_t value) {
  uint64_t *gpr = d->v->in.gpr;
  if (size == 1 && !d->rex && !d->row->vex && reg >= 4 && reg < 8) {
    gpr[reg - 4] = (gpr[reg - 4] & ~0xff00ull) | (value & 0xff) << 8;
  } else if (size == 1) {
    gpr[reg] = (gpr[reg] & ~0xffull) | (value & 0xff);
  } else {
    gpr[reg] = value;
  }
}

static bool names_register(const struct draft *d, uint8_t reg) {
  return d->base == reg || d->index == reg;
}

void choose_operands(struct draft *d) {
  const struct row *row = d->row;
  struct random *r = d->random;
  const uint32_t registers = d->mode64 ? 16 : 8;
  d->reg = (uint8_t)(row->extension >= 0 ? row->extension : (int)below(r, registers));
  d->rm = (uint8_t)below(r, registers);
  d->vvvv = (uint8_t)below(r, registers);
  d->opcode_register = (uint8_t)below(r, registers);
  d->base = d->index = NO_REGISTER;
  const struct operand *m = memory_operand(row);
  const bool needed = m && m->place == P_M;
  d->memory = row->modrm && row->fixed_modrm < 0 && !register_form_only(row) && (needed || (m && percent(r, 50)));
  if (!d->memory) return;
  d->access_kind = m->kind;
  d->access_size = operand_bytes(d, m);
  d->address = choose_address(d, d->access_size);
  if (m->kind == K_XSAVE && percent(r, 95)) d->address &= ~63ull;
  do choose_addressing(d);
  while (row->row_class == C_XSAVE && names_register(d, RAX) | names_register(d, RDX)); // these hold the bitmap
}

static uint64_t operand_integer(struct draft *d) {
  return percent(d->random, 75) ? random_integer(d->random) : random_next(d->random);
}

static void fill_vector(struct draft *d, uint8_t reg, int kind) {
  uint8_t bytes[32];
  random_value(d->random, kind == K_Y || kind == K_Q ? K_X : kind, 32, bytes);
  memcpy(d->v->in.xmm[reg], bytes, 16);
  if (d->row->vex) memcpy(d->v->in.ymm_high[reg], bytes + 16, 16);
}

static void fill_mmx(struct draft *d, uint8_t reg) {
  struct cpu_state *in = &d->v->in;
  const unsigned top = in->fsw >> 11 & 7; // MMi is physical register i, ST(j) is physical TOP + j
  random_value(d->random, K_X, 8, in->st[(reg - top) & 7]);
}

static void choose_immediate(struct draft *d, const struct operand *o) {
  const int size = kind_size(o->kind, d->operand_size, 1);
  if (d->immediate_size > 0) { // ENTER's second immediate
    d->extra_immediate_size = size;
    return;
  }
  d->immediate_size = size;
  d->immediate = percent(d->random, 40) ? random_next(d->random) : random_integer(d->random);
  const int class = d->row->row_class;
  if ((class == C_SHIFT || class == C_ROTATE || class == C_DOUBLE_SHIFT) && percent(d->random, 60)) d->immediate = below(d->random, 70);
}

static void choose_displacement(struct draft *d, const struct operand *o) {
  struct random *r = d->random;
  // In 64-bit mode near branches keep their 32-bit displacement whatever the prefixes (SDM 2A, JMP).
  d->immediate_size = o->kind == K_B ? 1 : d->mode64 ? 4 : kind_size(K_ZI, d->operand_size, 1);
  switch (below(r, 4)) {
    case 0: d->immediate = below(r, 256); break;
    case 1: d->immediate = 0x08000000 + (random_next(r) & 0xfffffff); break;
    case 2: d->immediate = ~(random_next(r) & 0xfffffff); break;
    default: d->immediate = random_next(r); break;
  }
}

void assign_operands(struct draft *d) {
  const struct row *row = d->row;
  uint64_t *gpr = d->v->in.gpr;
  for (int i = 0; i < row->operand_count; i++) {
    const struct operand *o = &row->operands[i];
    const uint8_t vector_register = o->place == P_V ? d->reg : o->place == P_H ? d->vvvv : d->rm;
    switch (o->place) {
      case P_E: case P_R:
        if (!d->memory) set_gpr(d, d->rm, operand_bytes(d, o), operand_integer(d));
        break;
      case P_G: set_gpr(d, d->reg, operand_bytes(d, o), operand_integer(d)); break;
      case P_Z: set_gpr(d, d->opcode_register, operand_bytes(d, o), operand_integer(d)); break;
      case P_B: gpr[d->vvvv] = operand_integer(d); break;
      case P_W: case P_U: case P_V: case P_H:
        if (o->place != P_W || !d->memory) fill_vector(d, vector_register, o->kind);
        break;
      case P_L: {
        const uint8_t reg = (uint8_t)below(d->random, d->mode64 ? 16 : 8);
        d->immediate = (uint64_t)reg << 4 | below(d->random, 16);
        d->immediate_size = 1;
        fill_vector(d, reg, K_X);
        break;
      }
      case P_P: fill_mmx(d, d->reg & 7); break;
      case P_Q: case P_N:
        if (!d->memory) fill_mmx(d, d->rm & 7);
        break;
      case P_I: choose_immediate(d, o); break;
      case P_J: choose_displacement(d, o); break;
      case P_IMPLICIT: gpr[o->gpr] = operand_integer(d); break;
      case P_O:
        d->access_kind = o->kind;
        d->access_size = operand_bytes(d, o);
        d->address = choose_address(d, d->access_size);
        if (d->mode64 && d->address_size == 4) d->address &= 0xffffffffull;
        d->immediate = d->address;
        d->immediate_size = d->address_size;
        break;
    }
  }
  // Two-operand instructions meet equal operands often enough to matter.
  if (row->operand_count >= 2 && is_gpr(row->operands[0].place) && is_gpr(row->operands[1].place) && !d->memory && percent(d->random, 8)) {
    gpr[d->reg] = gpr[d->rm];
  }
}

void patch_memory_operand(struct draft *d) {
  const struct row *row = d->row;
  const bool offset = row->operand_count > 0 && row->operands[0].place == P_O;
  if ((!d->memory && !offset) || d->access_size == 0 || row->row_class == C_NO_ACCESS) return;
  uint8_t bytes[832];
  random_value(d->random, d->access_kind, d->access_size, bytes);
  const uint64_t *gpr = d->v->in.gpr;
  if (row->row_class == C_COMPARE_EXCHANGE && percent(d->random, 50)) { // let the comparison succeed
    const int half = d->access_kind == K_BOUNDS ? d->access_size / 2 : d->access_size;
    memcpy(bytes, &gpr[RAX], (size_t)half);
    if (half < d->access_size) memcpy(bytes + half, &gpr[RDX], (size_t)half);
  } else if (d->access_size <= 8 && d->access_kind == K_V && percent(d->random, 8)) {
    memcpy(bytes, &gpr[d->reg], (size_t)d->access_size);
  }
  const uint64_t address = d->address & address_mask(d);
  const int first = d->access_size < PATCH_SIZE ? d->access_size : PATCH_SIZE;
  add_patch(d, address, first, bytes);
  if (d->access_size > first) add_patch(d, address + PATCH_SIZE, d->access_size - first, bytes + first);
}
