// SPDX-License-Identifier: Apache-2.0
// Random bytes as code: what they decode to is found out by running them.
#include <string.h>
#include "draft.h"
#include "execute.h"
#include "generate.h"
#include "values.h"

struct peek { // just enough decoding to know what not to run
  int map;
  uint8_t opcode, modrm;
  bool vex, repeat_f3, repeat_f2, prefix_66;
};

static bool is_legacy_prefix(uint8_t byte) {
  return byte == 0x66 || byte == 0x67 || byte == 0xf0 || byte == 0xf2 || byte == 0xf3 || byte == 0x26 || byte == 0x2e ||
         byte == 0x36 || byte == 0x3e;
}

// False when the bytes start with something that is never run: FS and GS overrides, EVEX, XOP.
static bool peek_at(const uint8_t *code, int length, int mode, struct peek *p) {
  int at = 0;
  *p = (struct peek){ 0 };
  while (at < length && (is_legacy_prefix(code[at]) || (mode == 64 && code[at] >> 4 == 4))) {
    p->repeat_f3 |= code[at] == 0xf3;
    p->repeat_f2 |= code[at] == 0xf2;
    p->prefix_66 |= code[at] == 0x66;
    at++;
  }
  if (at + 6 > length) return false;
  const uint8_t *c = code + at;
  if (c[0] == 0x64 || c[0] == 0x65 || c[0] == 0x8f || c[0] == 0x62) return c[0] == 0x8f && (c[1] & 0x38) == 0;
  if ((c[0] == 0xc4 || c[0] == 0xc5) && (mode == 64 || c[1] >= 0xc0)) {
    const bool three = c[0] == 0xc4;
    p->vex = true;
    p->map = three ? c[1] & 31 : MAP_0F;
    p->opcode = three ? c[3] : c[2];
    p->modrm = three ? c[4] : c[3];
  } else if (c[0] == 0x0f && (c[1] == 0x38 || c[1] == 0x3a)) {
    p->map = c[1] == 0x38 ? MAP_0F38 : MAP_0F3A;
    p->opcode = c[2];
    p->modrm = c[3];
  } else if (c[0] == 0x0f) {
    p->map = MAP_0F;
    p->opcode = c[1];
    p->modrm = c[2];
  } else {
    p->opcode = c[0];
    p->modrm = c[1];
  }
  return true;
}

static bool forbidden_one_byte(const struct peek *p, int mode) {
  const int reg = p->modrm >> 3 & 7;
  switch (p->opcode) {
    case 0x07: case 0x17: case 0x1f: return mode == 32; // POP sreg
    case 0x8e: return true; // MOV sreg
    case 0x9a: case 0xea: return mode == 32; // far CALL and JMP
    case 0xc4: case 0xc5: return true; // LES, LDS; VEX was taken out before
    case 0xc6: case 0xc7: return p->modrm == 0xf8; // XABORT, XBEGIN
    case 0xca: case 0xcb: case 0xcf: return true; // far RET, IRET
    case 0xcd: return p->modrm == 0x80; // INT 80h
    case 0xff: return reg == 3 || reg == 5;
    case 0x9d: return true; // POPF of random bits may set TF
    default: return false;
  }
}

static bool forbidden_0f(const struct peek *p) {
  const int reg = p->modrm >> 3 & 7;
  const bool memory = p->modrm < 0xc0;
  switch (p->opcode) {
    case 0x00: case 0x01: case 0x02: case 0x03: return true; // descriptor tables, XGETBV, VMCALL, LAR, LSL
    case 0x05: case 0x34: case 0x37: return true; // SYSCALL, SYSENTER, GETSEC
    case 0x31: case 0x33: case 0xa2: return true; // RDTSC, RDPMC, CPUID
    case 0x1a: case 0x1b: case 0x1c: return true; // MPX, CLDEMOTE
    case 0x1e: return p->repeat_f3; // shadow stacks
    case 0x78: case 0x79: return true; // VMREAD, VMWRITE
    case 0xa1: case 0xa9: case 0xb2: case 0xb4: case 0xb5: return true; // segment loads
    case 0xae: // x87 and SSE state, XSAVE, FS and GS bases, WAITPKG, PTWRITE, CLWB
      return p->repeat_f3 || p->repeat_f2 || p->prefix_66 || (memory ? reg >= 4 && reg != 7 : reg < 5);
    case 0xc7: return !(memory && reg == 1); // RDRAND, RDSEED, XSAVEC and others
    default: return false;
  }
}

static bool forbidden_0f38(const struct peek *p) {
  if (p->vex) return p->opcode >= 0x49 && p->opcode <= 0x5f && p->opcode != 0x58 && p->opcode != 0x59 && p->opcode != 0x5a;
  return p->opcode == 0xcf || (p->opcode >= 0x80 && p->opcode <= 0x82) || (p->opcode >= 0xd8 && p->opcode <= 0xda) ||
         p->opcode == 0xf5 || p->opcode >= 0xf8 || (p->opcode >= 0xdc && p->opcode <= 0xdf && p->repeat_f3);
}

bool forbidden_code(const uint8_t *code, int length, int mode) {
  struct peek p;
  if (!peek_at(code, length, mode, &p)) return true;
  switch (p.map) {
    case MAP_ONE_BYTE: return forbidden_one_byte(&p, mode);
    case MAP_0F: return forbidden_0f(&p);
    case MAP_0F38: return forbidden_0f38(&p);
    case MAP_0F3A: return p.opcode == 0xce || p.opcode == 0xcf || p.opcode == 0xf0;
    default: return true;
  }
}

// VEX code that was not taken from the AVX table would mostly test features nobody declares: leave it to that table.
static bool wanted(const uint8_t *code, int length, int mode) {
  struct peek p;
  return !forbidden_code(code, length, mode) && peek_at(code, length, mode, &p) && !p.vex;
}

// The table row that random bytes turned out to belong to, or null.
static const struct row *row_of(const struct peek *p) {
  const int reg = p->modrm >> 3 & 7;
  const bool memory = p->modrm < 0xc0;
  const struct row *found = NULL;
  for (int i = 0; i < row_count; i++) {
    const struct row *row = &rows[i];
    bool names_register = false, wrong_form = false;
    for (int k = 0; k < row->operand_count; k++) {
      const int place = row->operands[k].place;
      names_register |= place == P_Z;
      wrong_form |= memory ? place == P_T || place == P_U || place == P_N || place == P_R : place == P_M;
    }
    if (wrong_form) continue;
    const uint8_t opcode = names_register ? p->opcode & 0xf8 : p->opcode;
    if (row->family == RAW || row->vex || row->map != p->map || row->opcode != opcode) continue;
    if (row->extension >= 0 && row->extension != reg) continue;
    if (row->fixed_modrm >= 0 && row->fixed_modrm != p->modrm) continue;
    if (row->prefix == PREFIX_F2 && !p->repeat_f2) continue;
    if (row->prefix == PREFIX_F3 && !p->repeat_f3) continue;
    if (row->prefix == PREFIX_66 && !p->prefix_66) continue;
    found = row;
    if (row->prefix != PREFIX_NONE && row->prefix != PREFIX_FREE) break;
  }
  return found;
}

// Leaves out of the comparison whatever is undefined for some operands; false for rows where that is the result itself.
static bool relax(struct vector *v) {
  struct peek p;
  uint8_t padded[MAX_CODE] = { 0 };
  memcpy(padded, v->code, v->code_length);
  peek_at(padded, MAX_CODE, v->mode, &p);
  const struct row *row = row_of(&p);
  v->fsw_compared = 0xffff;
  v->flags_compared = 0x247ed5;
  if (row) mark_outcome(v, row);
  if (v->outcome.what != OUTCOME_COMPLETED) return true;
  if (!row) {
    v->flags_compared &= ~(uint32_t)FLAGS_ARITHMETIC;
    return true;
  }
  v->flags_compared &= ~row->undefined_flags;
  if (row->family == X87) v->fsw_compared = (uint16_t)~0x4700;
  if (row->approx12) v->notes |= NOTE_APPROX_12BIT;
  if (row->approx_x87 || row->row_class == C_FPREM) return false;
  for (int i = 0; i < row->operand_count; i++) {
    if (row->operands[i].kind == K_BCD) return false; // invalid digits load an undefined value
  }
  switch (row->row_class) {
    case C_SHIFT: case C_ROTATE: v->flags_compared &= ~(uint32_t)(FLAG_OF | FLAG_AF | FLAG_CF); break;
    case C_DOUBLE_SHIFT: case C_BYTE_SWAP:
      v->flags_compared &= ~(uint32_t)(FLAG_OF | FLAG_AF);
      return !p.prefix_66;
  }
  return true;
}

static void random_code(struct random *r, uint8_t code[MAX_CODE], int mode) {
  static const uint8_t starts[] = { 0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x36, 0x48, 0x41, 0x44, 0x4f };
  int at = 0;
  for (int i = 0; i < MAX_CODE; i++) code[i] = (uint8_t)random_next(r);
  while (at < 4 && percent(r, 35)) code[at++] = starts[below(r, mode == 64 ? sizeof starts : 7)];
  if (percent(r, 1)) while (at < 13) code[at++] = starts[below(r, 7)]; // too long
  if (percent(r, 55)) code[at++] = 0x0f;
  if (code[at] == 0x0f && percent(r, 40)) {
    static const uint8_t maps[] = { 0x38, 0x3a };
    code[at + 1] = maps[below(r, 2)];
  }
}

static void random_registers(struct vector *v, int mode, struct random *r) {
  const int count = mode == 64 ? 16 : 8;
  v->in.flags = 2 | FLAG_IF | ((uint32_t)random_next(r) & FLAGS_ARITHMETIC) | (percent(r, 10) ? FLAG_DF : 0) | (percent(r, 5) ? FLAG_AC : 0);
  for (int i = 0; i < count; i++) {
    if (percent(r, 60)) v->in.gpr[i] = DATA_WINDOW + 0x200 + below(r, DATA_SIZE - 0x400);
    else if (percent(r, 50)) v->in.gpr[i] = random_integer(r);
    if (percent(r, 50)) v->in.gpr[i] &= ~15ull;
    if (mode == 32) v->in.gpr[i] &= 0xffffffff;
  }
}

bool generate_raw(struct vector *v, int row, int mode, struct random *r) {
  uint8_t code[MAX_CODE];
  v->row = (uint16_t)row;
  v->mode = (uint8_t)mode;
  v->notes = 0;
  v->patch_count = 0;
  v->masked_gpr = NO_GPR;
  v->masked_gpr_compared = ~0ull;
  v->single_step = true;
  v->background = (uint8_t)below(r, BACKGROUND_COUNT);
  v->in = backgrounds[v->background];
  random_code(r, code, mode);
  if (!wanted(code, MAX_CODE, mode)) return false;
  random_registers(v, mode, r);
  for (int length = 1; length <= MAX_CODE; length++) {
    v->code_length = (uint8_t)length;
    memcpy(v->code, code, (size_t)length);
    if (!execute(v, false) || v->outcome.what == OUTCOME_HANG) return false;
    if (v->outcome.what == OUTCOME_FETCH) continue;
    if (v->outcome.what != 6) break;
    // #UD may be raised before all bytes are looked at, so give decoders more of them.
    v->code_length = MAX_CODE;
    memcpy(v->code, code, MAX_CODE);
    v->notes |= NOTE_TRAILING_BYTES;
    break;
  }
  return relax(v);
}
