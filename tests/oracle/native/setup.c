// SPDX-License-Identifier: Apache-2.0
// State that particular classes of instructions need to do something interesting.
#include <string.h>
#include "draft.h"
#include "values.h"

uint64_t choose_target(struct draft *d) {
  struct random *r = d->random;
  const uint32_t pick = below(r, 20);
  if (pick < 2) return CODE_PAGE + below(r, 0xf00); // filler, ends in a breakpoint
  if (pick < 4) return DATA_WINDOW + below(r, DATA_SIZE); // not executable
  if (d->mode64 && pick == 4) return 0xffff900000000000ull + below(r, 0x10000000);
  if (d->mode64 && pick == 5) return 0x00a0000000000000ull + below(r, 0x10000000); // not canonical
  if (d->mode64 && pick == 6) return 0x234500000000ull + below(r, 0x10000000);
  return 0x20000000ull + below(r, 0x08000000);
}

static int string_element(const struct draft *d) {
  return d->row->opcode & 1 ? d->operand_size : 1;
}

static uint64_t with_junk(struct draft *d, uint64_t value) {
  const uint64_t mask = address_mask(d);
  const uint64_t upper = d->mode64 ? ~mask : ~mask & 0xffffffffull;
  return percent(d->random, 50) ? value : (value & mask) | (random_next(d->random) & upper);
}

static uint64_t string_place(struct draft *d, uint64_t span, bool down) {
  struct random *r = d->random;
  const uint64_t element = (uint64_t)string_element(d);
  if (percent(r, 20)) return choose_address(d, (int)element);
  const uint64_t window = d->address_size == 2 ? LOW_WINDOW : DATA_WINDOW, size = d->address_size == 2 ? PAGE : DATA_SIZE;
  if (span + 64 > size) span = 64;
  const uint64_t at = window + below(r, (uint32_t)(size - span));
  return down ? at + span - element : at;
}

static void set_up_string(struct draft *d) {
  struct random *r = d->random;
  struct cpu_state *in = &d->v->in;
  const bool down = in->flags & FLAG_DF;
  const uint64_t element = (uint64_t)string_element(d);
  uint64_t count = percent(r, 8) ? 0 : 1 + below(r, percent(r, 20) ? 40 : 9);
  if (d->prefix_repeat && percent(r, 3)) count = random_next(r);
  const uint64_t span = element * (count < 64 ? count : 64) + element;
  uint64_t source = string_place(d, span, down), target = string_place(d, span, down);
  if (percent(r, 20)) target = source + below(r, 17) - 8;
  in->gpr[RSI] = with_junk(d, source);
  in->gpr[RDI] = with_junk(d, target);
  in->gpr[RCX] = with_junk(d, count);
}

// Comparing strings of random bytes would always stop at once.
static void make_strings_alike(struct draft *d) {
  struct random *r = d->random;
  const struct cpu_state *in = &d->v->in;
  const int element = string_element(d), class = d->row->row_class;
  const int length = element * (int)(1 + below(r, 12));
  const uint64_t mask = address_mask(d);
  uint64_t source = in->gpr[RSI] & mask, target = in->gpr[RDI] & mask;
  if (in->flags & FLAG_DF) {
    source -= (uint64_t)(length - element);
    target -= (uint64_t)(length - element);
  }
  uint8_t bytes[128];
  random_value(r, K_X, 128, bytes);
  if (class == C_STRING_SCAN) {
    for (int at = 0; at < length; at += element) memcpy(bytes + at, &in->gpr[RAX], (size_t)element);
    if (percent(r, 60)) bytes[below(r, (uint32_t)length)] ^= 1;
  } else if (class == C_STRING_COMPARE) {
    add_patch(d, source, length, bytes);
    if (percent(r, 60)) bytes[below(r, (uint32_t)length)] ^= (uint8_t)(1 << below(r, 8));
  } else {
    return;
  }
  add_patch(d, target, length, bytes);
}

static uint64_t stack_place(struct draft *d) {
  struct random *r = d->random;
  const int size = d->address_size;
  d->address_size = d->mode64 ? 8 : 4; // the stack ignores the address-size prefix
  uint64_t at = DATA_WINDOW + 0x400 + (below(r, DATA_SIZE - 0x800) & ~7u);
  if (percent(r, 15)) at += below(r, 8);
  if (percent(r, 12)) at = choose_address(d, 8) + (percent(r, 50) ? 8 : 0);
  d->address_size = size;
  return at;
}

static void set_up_divide(struct draft *d) {
  struct random *r = d->random;
  uint64_t *gpr = d->v->in.gpr;
  const bool byte = !(d->row->opcode & 1), is_signed = d->row->extension == 7;
  const int size = byte ? 1 : d->operand_size, bits = 8 * size;
  const uint64_t mask = bits == 64 ? ~0ull : (1ull << bits) - 1;
  uint64_t divisor = random_integer(r) & mask;
  if (percent(r, 20)) divisor &= 0xff;
  if (d->memory) add_patch_value(d, d->address & address_mask(d), size, divisor);
  else if (byte && !d->rex && d->rm >= 4) gpr[d->rm - 4] = (gpr[d->rm - 4] & ~0xff00ull) | divisor << 8;
  else gpr[d->rm] = (random_next(r) & ~mask) | divisor;
  if (percent(r, 15)) return; // mostly overflows
  uint64_t magnitude = divisor;
  if (is_signed && divisor >> (bits - 1)) magnitude = (0 - divisor) & mask;
  if (is_signed) magnitude >>= 1;
  uint64_t high = magnitude ? random_next(r) % magnitude : 0;
  if (is_signed && percent(r, 50)) high = ~high;
  if (is_signed && percent(r, 30)) high = (gpr[RAX] >> (bits - 1) & 1) ? mask : 0;
  if (byte) gpr[RAX] = (gpr[RAX] & ~0xff00ull) | (high & 0xff) << 8;
  else gpr[RDX] = high & mask;
}

static void set_exponent(uint8_t st[10], unsigned exponent) {
  st[9] = (uint8_t)((st[9] & 0x80) | exponent >> 8);
  st[8] = (uint8_t)exponent;
}

static bool ordinary(const uint8_t st[10]) { // not zero, denormal, infinite or NaN
  const unsigned exponent = st[8] | (st[9] & 0x7fu) << 8;
  return exponent != 0 && exponent != 0x7fff;
}

static void set_up_x87(struct draft *d) {
  struct random *r = d->random;
  struct cpu_state *in = &d->v->in;
  const struct row *row = d->row;
  in->fcw = random_fcw(r);
  uint16_t raised = percent(r, 25) ? (uint16_t)below(r, 128) : 0;
  if (raised & ~in->fcw & 0x3f && percent(r, 50)) raised &= in->fcw; // pending #MF only now and then
  in->fsw = (uint16_t)(raised | (random_next(r) & 0x7f00));
  if (raised & ~in->fcw & 0x3f) in->fsw |= 0x8080; // ES and B
  in->ftw = percent(r, 80) ? 0xff : (uint8_t)random_next(r);
  if (percent(r, 10)) in->ftw = 0;
  random_extended(r, in->st[0]);
  random_extended(r, in->st[1]);
  random_extended(r, in->st[d->rm & 7]);
  if (percent(r, 6)) memcpy(in->st[1], in->st[0], 10);
  if (row->approx_x87) in->fcw = (uint16_t)((in->fcw & 0xff) | 0x300); // results are specified for this setting only
  switch (row->row_class) {
    case C_F2XM1: // defined for |x| <= 1
      if (ordinary(in->st[0])) set_exponent(in->st[0], 0x3ffe - below(r, 70));
      break;
    case C_FYL2XP1: // defined for |x| < 1 - sqrt(2)/2
      if (ordinary(in->st[0])) set_exponent(in->st[0], 0x3ffc - below(r, 70));
      break;
    case C_TRIGONOMETRIC:
      if (ordinary(in->st[0]) && percent(r, 90)) set_exponent(in->st[0], 0x3fff - 20 + below(r, 30));
      break;
    case C_FPREM: // a partial remainder is left to the implementation when the exponents are 64 or more apart
      if (ordinary(in->st[0])) set_exponent(in->st[0], 0x3fff + below(r, 40));
      if (ordinary(in->st[1])) set_exponent(in->st[1], 0x3fff - below(r, 23));
      break;
  }
}

static void set_up_gather(struct draft *d) {
  struct random *r = d->random;
  struct cpu_state *in = &d->v->in;
  const uint32_t registers = d->mode64 ? 16 : 8;
  const bool wide = d->row->opcode & 1; // 91, 93: 64-bit indexes
  const uint8_t old_mask = d->vvvv;
  d->base = (uint8_t)below(r, registers);
  d->rm = d->base;
  do {
    d->index = (uint8_t)below(r, registers);
    d->vvvv = (uint8_t)below(r, registers);
  } while ((d->index == d->reg || d->index == d->vvvv || d->vvvv == d->reg) && percent(r, 95)); // equal ones are #UD
  memcpy(in->xmm[d->vvvv], in->xmm[old_mask], 16);
  memcpy(in->ymm_high[d->vvvv], in->ymm_high[old_mask], 16);
  d->vector_index = d->needs_sib = true;
  d->rip_relative = d->has_displacement_only = false;
  d->displacement_size = percent(r, 70) ? 1 : 4;
  d->displacement = (int64_t)below(r, 256) - 128;
  d->address = DATA_WINDOW + 0x800 + below(r, 0x800) + (percent(r, 10) ? DATA_SIZE - 0x1000 : 0);
  if (d->address_size == 8 && percent(r, 5)) d->address = HIGH_WINDOW + below(r, PAGE - 8);
  uint8_t bytes[32];
  const uint32_t reach = percent(r, 80) ? 0x200 : 0x2000;
  for (int at = 0; at < 32; at += wide ? 8 : 4) {
    int64_t element = (int64_t)below(r, reach) - reach / 2;
    if (percent(r, 2)) element = (int64_t)random_integer(r);
    memcpy(bytes + at, &element, wide ? 8 : 4);
  }
  memcpy(in->xmm[d->index], bytes, 16);
  memcpy(in->ymm_high[d->index], bytes + 16, 16);
}

// Components in their initial state may be saved or not: that is up to the processor. Here none is.
static void set_up_xsave(struct draft *d) {
  struct random *r = d->random;
  struct cpu_state *in = &d->v->in;
  set_up_x87(d);
  in->ftw |= 1;
  in->xmm[0][0] |= 1;
  in->ymm_high[0][0] |= 1;
  in->mxcsr = random_mxcsr(r);
  // Only of what the other side has too: no AVX-512, no protection keys.
  in->gpr[RAX] = percent(r, 30) ? 7 : below(r, 8);
  if (percent(r, 20)) in->gpr[RAX] |= 0xfff00000u;
  in->gpr[RDX] = percent(r, 30) ? 0xffffffff : 0;
}

void set_up_registers(struct draft *d) {
  struct random *r = d->random;
  struct cpu_state *in = &d->v->in;
  uint64_t *gpr = in->gpr;
  if (d->row->family == X87) set_up_x87(d);
  switch (d->row->row_class) {
    case C_SHIFT: case C_ROTATE: case C_DOUBLE_SHIFT:
      if (percent(r, 60)) gpr[RCX] = (gpr[RCX] & ~0xffull) | below(r, 70);
      break;
    case C_BIT_STRING:
      if (percent(r, 75) && d->memory) gpr[d->reg] = (uint64_t)((int64_t)below(r, 4000) - 2000);
      break;
    case C_STRING_MOVE: case C_STRING_COMPARE: case C_STRING_STORE: case C_STRING_SCAN: case C_STRING_LOAD: case C_STRING_IO:
      set_up_string(d);
      break;
    case C_LOOP:
      if (percent(r, 70)) gpr[RCX] = with_junk(d, below(r, 3));
      break;
    case C_XLAT: gpr[RBX] = with_junk(d, choose_address(d, 1) - (gpr[RAX] & 0xff)); break;
    case C_MASKED_STORE: gpr[RDI] = with_junk(d, DATA_WINDOW + below(r, DATA_SIZE - 32)); break;
    case C_INTERRUPT: d->immediate &= 0x7f; break; // INT 80h would be a system call
    case C_GATHER: set_up_gather(d); break;
    case C_XSAVE: set_up_xsave(d); break;
    case C_DIVIDE: set_up_divide(d); break;
    case C_PUSH: case C_POP: case C_POP_FLAGS: case C_PUSH_FLAGS: case C_PUSH_ALL: case C_POP_ALL: case C_ENTER: case C_LEAVE:
    case C_CALL: case C_RETURN:
      gpr[RSP] = stack_place(d);
      if (d->row->row_class == C_ENTER || d->row->row_class == C_LEAVE) gpr[RBP] = stack_place(d);
      if (d->row->row_class == C_ENTER) d->immediate = below(r, 0x300) | (uint64_t)(percent(r, 60) ? below(r, 5) : below(r, 256)) << 16;
      if (d->row->row_class == C_RETURN && d->immediate_size && percent(r, 80)) d->immediate &= 0x3ff;
      break;
  }
  const bool jumps = d->row->row_class == C_BRANCH || d->row->row_class == C_CALL;
  if (jumps && d->row->modrm && !d->memory) gpr[d->rm] = choose_target(d);
}

static uint64_t popped_flags(struct random *r) {
  uint64_t image = (random_next(r) & (FLAGS_ARITHMETIC | FLAG_DF | FLAG_AC | FLAG_ID | 0x4000)) | 2;
  if (percent(r, 60)) image |= FLAG_IF;
  if (percent(r, 20)) image |= random_next(r) & 0x3000; // IOPL does not change at CPL 3
  return image;
}

void set_up_memory(struct draft *d) {
  struct random *r = d->random;
  const uint64_t *gpr = d->v->in.gpr;
  const int slot = d->mode64 ? 8 : 4;
  switch (d->row->row_class) {
    case C_STRING_COMPARE: case C_STRING_SCAN: make_strings_alike(d); break;
    case C_POP: add_patch_value(d, gpr[RSP], slot, random_integer(r)); break;
    case C_POP_FLAGS: add_patch_value(d, gpr[RSP], slot, popped_flags(r)); break;
    case C_RETURN: add_patch_value(d, gpr[RSP], slot, choose_target(d)); break;
    case C_BRANCH: case C_CALL:
      if (d->memory) add_patch_value(d, d->address & address_mask(d), d->mode64 ? 8 : d->operand_size, choose_target(d));
      break;
  }
}
