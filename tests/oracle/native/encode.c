// SPDX-License-Identifier: Apache-2.0
// From a finished draft to bytes (SDM 2A chapter 2).
#include "draft.h"

struct writer {
  uint8_t *bytes;
  int length;
  bool overflow;
};

static void put(struct writer *w, uint64_t value, int count) {
  for (int i = 0; i < count; i++) {
    if (w->length == MAX_CODE) {
      w->overflow = true;
      return;
    }
    w->bytes[w->length++] = (uint8_t)(value >> (8 * i));
  }
}

static uint8_t extension_bits(const struct draft *d, bool *r, bool *x, bool *b) {
  const struct row *row = d->row;
  *r = row->modrm && row->fixed_modrm < 0 && d->reg >= 8;
  *x = d->memory && d->needs_sib && d->index != NO_REGISTER && d->index >= 8;
  *b = false;
  if (row->modrm && row->fixed_modrm < 0) {
    if (!d->memory) *b = d->rm >= 8;
    else if (d->base != NO_REGISTER) *b = d->base >= 8;
  } else if (!row->modrm) {
    *b = d->opcode_register >= 8;
  }
  return (uint8_t)(*r << 2 | *x << 1 | *b);
}

static bool has_opcode_register(const struct row *row) {
  for (int i = 0; i < row->operand_count; i++) {
    if (row->operands[i].place == P_Z) return true;
  }
  return false;
}

static uint8_t mandatory_byte(const struct row *row) {
  static const uint8_t bytes[] = { [PREFIX_66] = 0x66, [PREFIX_F3] = 0xf3, [PREFIX_F2] = 0xf2 };
  return row->prefix >= PREFIX_66 ? bytes[row->prefix] : 0;
}

static void put_legacy_prefixes(struct writer *w, struct draft *d) {
  uint8_t list[8];
  int n = 0;
  const uint8_t mandatory = d->row->vex ? 0 : mandatory_byte(d->row);
  if (mandatory) list[n++] = mandatory;
  if (d->prefix_66 && mandatory != 0x66) list[n++] = 0x66;
  if (d->prefix_67) list[n++] = 0x67;
  if (d->prefix_lock) list[n++] = 0xf0;
  if (d->prefix_repeat) list[n++] = d->prefix_repeat;
  if (d->prefix_segment) list[n++] = d->prefix_segment;
  if (n > 0 && percent(d->random, 2)) list[n] = list[below(d->random, (uint32_t)n)], n++; // the same one twice
  for (int i = n - 1; i > 0; i--) {
    const uint32_t j = below(d->random, (uint32_t)i + 1);
    const uint8_t swap = list[i];
    list[i] = list[j];
    list[j] = swap;
  }
  for (int i = 0; i < n; i++) put(w, list[i], 1);
}

static void put_vex(struct writer *w, const struct draft *d) {
  static const uint8_t pp_of[] = { [PREFIX_66] = 1, [PREFIX_F3] = 2, [PREFIX_F2] = 3 };
  const struct row *row = d->row;
  const unsigned pp = row->prefix >= PREFIX_66 ? pp_of[row->prefix] : 0;
  bool r, x, b, names_vvvv = false;
  extension_bits(d, &r, &x, &b);
  for (int i = 0; i < row->operand_count; i++) names_vvvv |= row->operands[i].place == P_H || row->operands[i].place == P_B;
  unsigned vvvv = names_vvvv ? ~(unsigned)d->vvvv & 15 : 15;
  if (!names_vvvv && percent(d->random, 1)) vvvv = below(d->random, 15); // #UD
  if (!d->mode64) vvvv |= 8; // would be LES or LDS otherwise
  if (row->map == MAP_0F && !x && !b && !d->w && percent(d->random, 50)) {
    put(w, 0xc5, 1);
    put(w, (unsigned)!r << 7 | vvvv << 3 | (unsigned)d->vex_l << 2 | pp, 1);
  } else {
    put(w, 0xc4, 1);
    put(w, (unsigned)!r << 7 | (unsigned)!x << 6 | (unsigned)!b << 5 | row->map, 1);
    put(w, (unsigned)d->w << 7 | vvvv << 3 | (unsigned)d->vex_l << 2 | pp, 1);
  }
  put(w, row->opcode, 1);
}

static void put_opcode(struct writer *w, const struct draft *d) {
  bool r, x, b;
  const uint8_t bits = extension_bits(d, &r, &x, &b);
  if (d->rex) put(w, 0x40u | (unsigned)d->w << 3 | bits, 1);
  if (d->row->map != MAP_ONE_BYTE) put(w, 0x0f, 1);
  if (d->row->map == MAP_0F38) put(w, 0x38, 1);
  if (d->row->map == MAP_0F3A) put(w, 0x3a, 1);
  put(w, d->row->opcode + (has_opcode_register(d->row) ? d->opcode_register & 7u : 0), 1);
}

static void put_modrm(struct writer *w, const struct draft *d) {
  const struct row *row = d->row;
  if (row->fixed_modrm >= 0) {
    put(w, (uint64_t)row->fixed_modrm, 1);
    return;
  }
  const unsigned reg = (d->reg & 7u) << 3;
  if (!d->memory) {
    put(w, 0xc0 | reg | (d->rm & 7u), 1);
    return;
  }
  if (d->address_size == 2) {
    const unsigned mod = d->has_displacement_only ? 0 : (unsigned)d->displacement_size;
    put(w, mod << 6 | reg | d->rm, 1);
    put(w, (uint64_t)d->displacement, d->displacement_size);
    return;
  }
  const unsigned mod = d->has_displacement_only || d->rip_relative ? 0 : d->displacement_size == 4 ? 2u : (unsigned)d->displacement_size;
  if (d->rip_relative || (d->has_displacement_only && !d->needs_sib)) {
    put(w, reg | 5, 1);
  } else if (d->needs_sib) {
    const unsigned base = d->base == NO_REGISTER ? 5 : d->base & 7u, index = d->index == NO_REGISTER ? 4 : d->index & 7u;
    put(w, mod << 6 | reg | 4, 1);
    put(w, (unsigned)d->scale << 6 | index << 3 | base, 1);
  } else {
    put(w, mod << 6 | reg | (d->base & 7u), 1);
  }
  put(w, (uint64_t)d->displacement, d->displacement_size);
}

// A branch back into its own bytes would execute something else next.
static bool lands_in_itself(const struct draft *d, int length) {
  bool relative = false;
  for (int i = 0; i < d->row->operand_count; i++) relative |= d->row->operands[i].place == P_J;
  if (!relative) return false;
  const int unused = 64 - 8 * d->immediate_size;
  const uint64_t target = CODE_END + (uint64_t)((int64_t)(d->immediate << unused) >> unused);
  return target >= CODE_END - (uint64_t)length && target < CODE_END;
}

bool encode(struct draft *d) {
  struct writer w = { d->v->code, 0, false };
  put_legacy_prefixes(&w, d);
  if (d->vex_prefix) put(&w, d->vex_prefix, 1);
  if (d->row->vex) put_vex(&w, d);
  else put_opcode(&w, d);
  if (d->row->modrm) put_modrm(&w, d);
  put(&w, d->immediate, d->immediate_size);
  put(&w, d->immediate >> 16, d->extra_immediate_size);
  d->v->code_length = (uint8_t)w.length;
  return !w.overflow && !lands_in_itself(d, w.length);
}
