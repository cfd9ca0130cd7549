// SPDX-License-Identifier: Apache-2.0
// Where memory operands lie, and which base, index and displacement lead there.
#include "draft.h"
#include <string.h>
#include "values.h"

uint64_t address_mask(const struct draft *d) {
  return d->address_size == 8 ? ~0ull : d->address_size == 4 ? 0xffffffffull : 0xffffull;
}

static uint64_t inside(struct draft *d, uint64_t base, uint64_t size, uint64_t length) {
  uint64_t at = base + below(d->random, (uint32_t)(size - length + 1));
  if (length > 1 && percent(d->random, length >= 16 ? 80 : 60)) {
    uint64_t align = 1;
    while (align * 2 <= length && align < 32) align *= 2;
    at &= ~(align - 1);
  }
  return at < base ? base : at;
}

uint64_t choose_address(struct draft *d, int size) {
  struct random *r = d->random;
  const uint64_t n = (uint64_t)(size > 0 ? size : 1);
  const uint64_t overlap = n > 1 ? 1 + below(r, (uint32_t)(n - 1)) : 0;
  if (d->address_size == 2) {
    return percent(r, 92) ? inside(d, LOW_WINDOW, PAGE, n) : percent(r, 50) ? LOW_WINDOW + PAGE - overlap : 0x1000 + below(r, 0x4000);
  }
  const uint32_t pick = below(r, 100);
  if (pick < 64) return inside(d, DATA_WINDOW, DATA_SIZE, n);
  if (pick < 72) return DATA_WINDOW + PAGE - overlap;
  if (pick < 76) return DATA_WINDOW + DATA_SIZE - overlap;
  if (pick < 78) return DATA_WINDOW - overlap - (overlap == 0);
  if (pick < 85) return inside(d, READ_ONLY_WINDOW, PAGE, n);
  if (pick < 87) return READ_ONLY_WINDOW + PAGE - overlap;
  if (pick < 90) return inside(d, LOW_WINDOW, PAGE, n);
  if (pick < 92) return 0x60000000ull + (random_next(r) & 0xffffff);
  if (d->address_size == 8) {
    if (pick < 97) return inside(d, HIGH_WINDOW, PAGE, n);
    if (pick < 98) return 0xffff880000000000ull + (random_next(r) & 0xffffffff);
    // Between the canonical halves (SDM 1 §3.3.7.1).
    return 0x0000800000000000ull + (random_next(r) & 0x7fffffffffffffull);
  }
  return inside(d, DATA_WINDOW, DATA_SIZE, n);
}

static int64_t sign_extend(uint64_t value, int bytes) {
  const int unused = 64 - 8 * bytes;
  return (int64_t)(value << unused) >> unused;
}

// The eight pairs of 16-bit addressing, by ModRM.rm (SDM 2A table 2-1).
static void choose_addressing_16(struct draft *d) {
  static const uint8_t bases[8] = { RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX };
  static const uint8_t indexes[8] = { RSI, RDI, RSI, RDI, NO_REGISTER, NO_REGISTER, NO_REGISTER, NO_REGISTER };
  struct random *r = d->random;
  d->rm = (uint8_t)below(r, 8);
  d->displacement_size = (int)below(r, 3);
  if (d->rm == 6 && d->displacement_size == 0) {
    d->has_displacement_only = true;
    d->base = d->index = NO_REGISTER;
    d->displacement_size = 2;
    d->displacement = sign_extend(d->address, 2);
    return;
  }
  d->base = bases[d->rm];
  d->index = indexes[d->rm];
  d->displacement = d->displacement_size ? sign_extend(random_integer(r), d->displacement_size) : 0;
  d->index_value = random_integer(r) & 0xffff;
}

void choose_addressing(struct draft *d) {
  struct random *r = d->random;
  const uint32_t registers = d->mode64 ? 16 : 8;
  d->base = d->index = NO_REGISTER;
  if (d->address_size == 2) {
    choose_addressing_16(d);
    return;
  }
  const bool low = d->address < 0x80000000ull;
  const uint32_t form = below(r, 100);
  if (d->mode64 && low && form < 8) {
    d->rip_relative = true;
    d->displacement_size = 4;
    d->displacement = (int64_t)d->address - (int64_t)CODE_END;
    return;
  }
  if (low && form < 14) {
    d->has_displacement_only = true;
    d->needs_sib = d->mode64;
    d->displacement_size = 4;
    d->displacement = (int64_t)d->address;
    return;
  }
  d->base = (uint8_t)below(r, registers);
  d->rm = d->base;
  static const uint8_t sizes[] = { 0, 0, 1, 1, 4 };
  d->displacement_size = sizes[below(r, sizeof sizes)];
  if ((d->base & 7) == RBP && d->displacement_size == 0) d->displacement_size = 1;
  d->displacement = d->displacement_size ? sign_extend(random_integer(r), d->displacement_size) : 0;
  d->needs_sib = (d->base & 7) == RSP || percent(r, 45);
  if (d->needs_sib) {
    d->scale = (uint8_t)below(r, 4);
    d->index = (uint8_t)below(r, registers);
    if (d->index == RSP) d->index = NO_REGISTER;
    if (d->index == d->base) d->index = NO_REGISTER;
    d->index_value = percent(r, 70) ? (uint64_t)sign_extend(random_integer(r), 1) : random_integer(r);
    if (percent(r, 10)) { // no base: the displacement has to reach on its own
      if (!low) return;
      d->base = NO_REGISTER;
      d->has_displacement_only = true;
      d->displacement_size = 4;
      d->index_value &= 0xff;
      d->displacement = (int64_t)(d->address - (d->index == NO_REGISTER ? 0 : d->index_value << d->scale));
    }
  }
}

void assign_addressing(struct draft *d) {
  if (!d->memory) return;
  const uint64_t mask = address_mask(d);
  uint64_t *gpr = d->v->in.gpr;
  // Registers keep junk above the address size: it must not matter.
  const uint64_t junk = d->mode64 && percent(d->random, 50) ? random_next(d->random) & ~mask : 0;
  const uint64_t junk16 = d->address_size == 2 ? random_next(d->random) & 0xffff0000ull : 0;
  uint64_t sum = (uint64_t)d->displacement;
  if (d->index != NO_REGISTER && !d->vector_index) {
    gpr[d->index] = (d->index_value & mask) | junk | junk16;
    sum += gpr[d->index] << d->scale;
  }
  if (d->base != NO_REGISTER) gpr[d->base] = ((d->address - sum) & mask) | junk | junk16;
}

void add_patch(struct draft *d, uint64_t address, int length, const uint8_t *bytes) {
  struct vector *v = d->v;
  if (length <= 0 || v->patch_count == MAX_PATCHES || !memory_view(address, (uint64_t)length)) return;
  for (int i = 0; i < v->patch_count; i++) { // two patches of the same bytes would make the order matter
    const struct memory_patch *p = &v->patches[i];
    if (address < p->address + p->length && p->address < address + (uint64_t)length) return;
  }
  struct memory_patch *p = &v->patches[v->patch_count++];
  p->address = address;
  p->length = (uint16_t)length;
  memcpy(p->bytes, bytes, (size_t)length);
}

void add_patch_value(struct draft *d, uint64_t address, int length, uint64_t value) {
  uint8_t bytes[8];
  memcpy(bytes, &value, 8);
  add_patch(d, address, length, bytes);
}
