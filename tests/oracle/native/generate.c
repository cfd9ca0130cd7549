// SPDX-License-Identifier: Apache-2.0
// Makes a vector out of a row and a stream of random numbers.
#include "generate.h"
#include <string.h>
#include "draft.h"
#include "execute.h"
#include "values.h"

struct cpu_state backgrounds[BACKGROUND_COUNT];

void backgrounds_create(int mode, uint64_t seed) {
  struct random r = random_from(seed ^ 0xbac);
  for (int b = 0; b < BACKGROUND_COUNT; b++) {
    struct cpu_state *s = &backgrounds[b];
    memset(s, 0, sizeof *s);
    for (int i = 0; i < (mode == 64 ? 16 : 8); i++) {
      s->gpr[i] = percent(&r, 30) ? DATA_WINDOW + below(&r, DATA_SIZE) : percent(&r, 60) ? random_next(&r) : random_integer(&r);
      if (mode == 32) s->gpr[i] &= 0xffffffff;
    }
    s->gpr[RSP] = DATA_WINDOW + 0x1000 + 8 * below(&r, 0x100);
    s->flags = FLAG_IF | 2;
    s->mxcsr = b % 2 ? random_mxcsr(&r) : 0x1f80;
    s->fcw = b % 4 ? random_fcw(&r) : 0x37f;
    s->fsw = (uint16_t)(below(&r, 8) << 11);
    s->ftw = b % 8 ? (uint8_t)random_next(&r) : 0xff;
    static const uint8_t kinds[] = { K_X, K_PS, K_PD };
    for (int i = 0; i < 8; i++) random_extended(&r, s->st[i]);
    for (int i = 0; i < (mode == 64 ? 16 : 8); i++) {
      const int kind = kinds[below(&r, sizeof kinds)];
      random_value(&r, kind, 16, s->xmm[i]);
      if (execute_has_avx() && percent(&r, 80)) random_value(&r, kind, 16, s->ymm_high[i]);
    }
  }
}

static bool uses_kind(const struct row *row, int kind) {
  for (int i = 0; i < row->operand_count; i++) {
    if (row->operands[i].kind == kind && row->operands[i].place != P_IMPLICIT) return true;
  }
  return false;
}

static bool is_string(const struct row *row) {
  return row->row_class >= C_STRING_MOVE && row->row_class <= C_STRING_IO;
}

static bool stack_or_branch(const struct row *row) {
  return row->default64 || row->force64;
}

// Whether the operand-size prefix means something here, or is at least harmless.
static bool accepts_66(const struct draft *d) {
  const struct row *row = d->row;
  if (row->no_66 || row->vex || row->prefix == PREFIX_NONE || row->prefix == PREFIX_66) return false;
  if (row->prefix == PREFIX_F2 || row->prefix == PREFIX_F3) return uses_kind(row, K_V);
  return row->map == MAP_ONE_BYTE || uses_kind(row, K_V) || uses_kind(row, K_ZI) || stack_or_branch(row);
}

// F2 and F3 without a meaning: one-byte opcodes, but not those that XACQUIRE and XRELEASE apply to.
static bool accepts_redundant_repeat(const struct row *row) {
  if (row->prefix != PREFIX_FREE || row->map != MAP_ONE_BYTE) return false;
  const uint8_t op = row->opcode;
  return !(op >= 0x86 && op <= 0x90) && op != 0xc6 && op != 0xc7 && !(op >= 0xa0 && op <= 0xa3) && op != 0xf1 && op != 0xcc;
}

// Encodings that VEX forbids: another W or L than the instruction has, or a legacy prefix in front.
static void violate_vex(struct draft *d) {
  const struct row *row = d->row;
  struct random *r = d->random;
  if (row->family != AVX || row->row_class != C_PLAIN || !percent(r, 4)) return;
  switch (below(r, 3)) {
    case 0:
      if (row->vex_w != ANY_VALUE) d->w = !d->w;
      break;
    case 1:
      if (row->vex_l != ANY_VALUE) d->vex_l = !d->vex_l;
      break;
    default: {
      static const uint8_t prefixes[] = { 0x66, 0xf2, 0xf3, 0x48 };
      d->vex_prefix = prefixes[below(r, d->mode64 ? 4 : 3)];
    }
  }
}

static void choose_prefixes(struct draft *d) {
  const struct row *row = d->row;
  struct random *r = d->random;
  d->vector_size = 16;
  if (row->vex) {
    d->vex_l = row->vex_l == ANY_VALUE ? below(r, 2) : row->vex_l;
    d->w = d->mode64 || row->family == AVX ? (row->vex_w == ANY_VALUE ? below(r, 2) : row->vex_w) : 0;
    violate_vex(d);
    if (d->vex_l) d->vector_size = 32;
  } else if (d->mode64) {
    const bool size_matters = uses_kind(row, K_V) || uses_kind(row, K_Y) || uses_kind(row, K_ZI) || uses_kind(row, K_BOUNDS);
    d->w = percent(r, size_matters || is_string(row) ? 35 : 6);
  }
  const uint32_t chance = uses_kind(row, K_V) || is_string(row) || stack_or_branch(row) ? 20 : 4;
  d->prefix_66 = accepts_66(d) && percent(r, chance);
  d->prefix_67 = percent(r, is_string(row) ? 15 : 7);
  d->operand_size = d->mode64 && d->w ? 8 : d->prefix_66 ? 2 : 4;
  if (d->mode64 && row->force64) d->operand_size = 8;
  if (d->mode64 && row->default64 && !d->prefix_66) d->operand_size = 8;
  d->address_size = d->mode64 ? (d->prefix_67 ? 4 : 8) : d->prefix_67 ? 2 : 4;
  if (is_string(row) && percent(r, 70)) d->prefix_repeat = percent(r, 50) ? 0xf3 : 0xf2;
  else if (accepts_redundant_repeat(row) && percent(r, 2)) d->prefix_repeat = percent(r, 50) ? 0xf3 : 0xf2;
  static const uint8_t segments[] = { 0x26, 0x2e, 0x36, 0x3e };
  if (percent(r, 4)) d->prefix_segment = segments[below(r, 4)];
}

static void choose_lock(struct draft *d) {
  if (d->prefix_repeat) return;
  uint32_t chance = 1;
  if (d->row->lockable) chance = d->memory ? 25 : 3;
  if (d->row->vex && d->row->prefix != PREFIX_NONE) chance = 0;
  d->prefix_lock = percent(d->random, chance);
}

static bool extended(uint8_t reg) {
  return reg != NO_REGISTER && reg >= 8;
}

static void choose_rex(struct draft *d) {
  if (!d->mode64 || d->row->vex) return;
  const bool base_or_rm = d->memory ? extended(d->base) : extended(d->rm);
  d->rex = d->w || extended(d->reg) || base_or_rm || (d->memory && extended(d->index)) || extended(d->opcode_register) ||
           percent(d->random, 12);
}

static void randomize_flags(struct draft *d) {
  struct cpu_state *in = &d->v->in;
  in->flags = 2 | FLAG_IF | ((uint32_t)random_next(d->random) & FLAGS_ARITHMETIC);
  if (percent(d->random, 20)) in->flags |= FLAG_DF;
  if (percent(d->random, 10)) in->flags |= FLAG_AC;
  if (d->row->family == SSE || d->row->family == AVX) in->mxcsr = random_mxcsr(d->random);
}

bool generate(struct vector *v, int row, int mode, struct random *r) {
  struct draft draft = { .row = &rows[row], .random = r, .v = v, .mode64 = mode == 64 };
  struct draft *d = &draft;
  v->row = (uint16_t)row;
  v->mode = (uint8_t)mode;
  v->notes = 0;
  v->patch_count = 0;
  v->background = (uint8_t)below(r, BACKGROUND_COUNT);
  v->in = backgrounds[v->background];
  if (mode == 64 ? d->row->only32 : d->row->only64) return false;
  randomize_flags(d);
  choose_prefixes(d);
  choose_operands(d);
  choose_lock(d);
  choose_rex(d);
  assign_operands(d);
  set_up_registers(d);
  assign_addressing(d);
  if (mode == 32) {
    for (int i = 0; i < GPR_COUNT; i++) v->in.gpr[i] &= 0xffffffff;
  }
  set_up_memory(d);
  patch_memory_operand(d);
  if (!encode(d)) return false;
  mark_undefined(d);
  v->single_step = !d->row->no_step && !d->prefix_repeat;
  return true;
}
