// SPDX-License-Identifier: Apache-2.0
// Turns the table text into rows. The tables are part of the program, so an error in them ends it.
#include "row.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row rows[MAX_ROWS];
int row_count;
const char *const family_names[FAMILY_COUNT] = { "int", "string", "branch", "bits", "sse", "crypto", "x87", "avx", "raw" };

extern const char table_int[], table_string[], table_branch[], table_bits[], table_sse[], table_crypto[], table_x87[],
  table_avx[], table_raw[];

enum { COLUMNS = 6, FIELD = 200 };
enum { COL_NAMES, COL_PREFIX, COL_OPCODE, COL_MODRM, COL_OPERANDS, COL_ATTRIBUTES };

static const char *current_line;

static void bad(const char *what, const char *text) {
  fprintf(stderr, "oracle: table: %s '%s' in: %.120s\n", what, text, current_line);
  exit(2);
}

// The k-th of the alternatives that `|` separates; a field with only one serves every k.
static void alternative(const char *field, int k, char *out) {
  const char *at = field;
  if (strchr(field, '|')) {
    for (; k > 0; k--) {
      at = strchr(at, '|');
      if (!at) bad("too few alternatives", field);
      at++;
    }
  }
  size_t n = strcspn(at, "|");
  memcpy(out, at, n);
  out[n] = 0;
}

static int count_alternatives(const char *field) {
  int n = 1;
  for (; *field; field++) n += *field == '|';
  return n;
}

struct word { const char *text; int value; };

static int look_up(const struct word *words, const char *text) {
  for (; words->text; words++) {
    if (strcmp(words->text, text) == 0) return words->value;
  }
  return -1;
}

static const struct word places[] = {
  { "E", P_E }, { "G", P_G }, { "M", P_M }, { "R", P_R }, { "Z", P_Z }, { "B", P_B }, { "V", P_V }, { "W", P_W }, { "U", P_U },
  { "H", P_H }, { "L", P_L }, { "P", P_P }, { "Q", P_Q }, { "N", P_N }, { "T", P_T }, { "I", P_I }, { "J", P_J }, { "O", P_O },
  { NULL, 0 },
};
static const struct word kinds[] = {
  { "b", K_B }, { "w", K_W }, { "d", K_D }, { "q", K_Q }, { "v", K_V }, { "z", K_ZI }, { "y", K_Y }, { "x", K_X }, { "dq", K_XMM },
  { "ps", K_PS }, { "pd", K_PD }, { "ss", K_SS }, { "sd", K_SD }, { "t", K_EXTENDED }, { "bcd", K_BCD }, { "env", K_ENVIRONMENT },
  { "save", K_FSAVE }, { "fx", K_FXSAVE }, { "xs", K_XSAVE }, { "mxcsr", K_MXCSR }, { "fcw", K_FCW }, { "bounds", K_BOUNDS }, { "hps", K_HALF_PS },
  { "h", K_HALF }, { "qx", K_QUARTER }, { "ex", K_EIGHTH }, { "f16", K_F16 }, { "", K_X }, { NULL, 0 },
};
static const struct word implicit[] = {
  { "a", RAX }, { "c", RCX }, { "d", RDX }, { "b", RBX }, { "sp", RSP }, { "bp", RBP }, { "si", RSI }, { "di", RDI }, { NULL, 0 },
};
static const struct word classes[] = {
  { "shift", C_SHIFT }, { "rotate", C_ROTATE }, { "double-shift", C_DOUBLE_SHIFT }, { "divide", C_DIVIDE },
  { "bit-string", C_BIT_STRING }, { "bit-scan", C_BIT_SCAN }, { "byte-swap", C_BYTE_SWAP }, { "movs", C_STRING_MOVE },
  { "cmps", C_STRING_COMPARE }, { "stos", C_STRING_STORE }, { "scas", C_STRING_SCAN }, { "lods", C_STRING_LOAD },
  { "ios", C_STRING_IO }, { "push", C_PUSH }, { "pop", C_POP }, { "popf", C_POP_FLAGS }, { "pushf", C_PUSH_FLAGS },
  { "pusha", C_PUSH_ALL }, { "popa", C_POP_ALL }, { "enter", C_ENTER }, { "leave", C_LEAVE }, { "call", C_CALL },
  { "ret", C_RETURN }, { "branch", C_BRANCH }, { "loop", C_LOOP }, { "xlat", C_XLAT }, { "masked-store", C_MASKED_STORE },
  { "gather", C_GATHER }, { "cmpxchg", C_COMPARE_EXCHANGE }, { "f2xm1", C_F2XM1 }, { "fyl2xp1", C_FYL2XP1 }, { "fprem", C_FPREM },
  { "trig", C_TRIGONOMETRIC }, { "sreg", C_SEGMENT_STORE }, { "no-access", C_NO_ACCESS },
  { "int-n", C_INTERRUPT }, { "xsave", C_XSAVE }, { NULL, 0 },
};

static void parse_operand(struct operand *o, const char *text) {
  int gpr = look_up(implicit, text);
  if (gpr >= 0) {
    *o = (struct operand){ .place = P_IMPLICIT, .gpr = (uint8_t)gpr };
    return;
  }
  char place[2] = { text[0], 0 };
  int p = look_up(places, place), k = look_up(kinds, text + 1);
  if (p < 0 || k < 0) bad("unknown operand", text);
  *o = (struct operand){ .place = (uint8_t)p, .kind = (uint8_t)k };
}

static void parse_operands(struct row *r, char *text) {
  if (strcmp(text, "-") == 0) return;
  for (char *token = strtok(text, ","); token; token = strtok(NULL, ",")) {
    if (r->operand_count == 5) bad("too many operands", token);
    parse_operand(&r->operands[r->operand_count++], token);
  }
}

static uint32_t flag_letters(const char *text) {
  uint32_t mask = 0;
  for (; *text; text++) {
    switch (*text) {
      case 'o': mask |= FLAG_OF; break;
      case 's': mask |= FLAG_SF; break;
      case 'z': mask |= FLAG_ZF; break;
      case 'a': mask |= FLAG_AF; break;
      case 'p': mask |= FLAG_PF; break;
      case 'c': mask |= FLAG_CF; break;
      default: bad("unknown flag", text);
    }
  }
  return mask;
}

// Condition bits of the x87 status word: C0 8, C1 9, C2 10, C3 14.
static uint16_t condition_digits(const char *text) {
  static const uint16_t bit[] = { 1 << 8, 1 << 9, 1 << 10, 1 << 14 };
  uint16_t mask = 0;
  for (; *text >= '0' && *text <= '3'; text++) mask |= bit[*text - '0'];
  return mask;
}

static void parse_attribute(struct row *r, const char *a) {
  int c = look_up(classes, a);
  if (c >= 0) r->row_class = (uint8_t)c;
  else if (strcmp(a, "-") == 0) return;
  else if (strcmp(a, "lock") == 0) r->lockable = true;
  else if (strcmp(a, "only32") == 0) r->only32 = true;
  else if (strcmp(a, "only64") == 0) r->only64 = true;
  else if (strcmp(a, "d64") == 0) r->default64 = true;
  else if (strcmp(a, "f64") == 0) r->force64 = true;
  else if (strcmp(a, "no66") == 0) r->no_66 = true;
  else if (strcmp(a, "approx12") == 0) r->approx12 = true;
  else if (strcmp(a, "approx-x87") == 0) r->approx_x87 = true;
  else if (strcmp(a, "no-step") == 0) r->no_step = true;
  else if (strcmp(a, "partial") == 0) r->partial = true;
  else if (strcmp(a, "L0") == 0) r->vex_l = 0;
  else if (strcmp(a, "L1") == 0) r->vex_l = 1;
  else if (strcmp(a, "W0") == 0) r->vex_w = 0;
  else if (strcmp(a, "W1") == 0) r->vex_w = 1;
  else if (strncmp(a, "uf=", 3) == 0) r->undefined_flags = flag_letters(a + 3);
  else if (strncmp(a, "cu=", 3) == 0) r->undefined_fsw = condition_digits(a + 3);
  else if (strncmp(a, "weight=", 7) == 0) r->weight = (uint8_t)atoi(a + 7);
  else bad("unknown attribute", a);
}

static void parse_opcode(struct row *r, char *text, int k) {
  char *plus = strchr(text, '+');
  if (plus) *plus = 0;
  unsigned value = (unsigned)strtoul(text, NULL, 16);
  size_t digits = strlen(text);
  if (digits == 2) r->map = MAP_ONE_BYTE;
  else if (digits == 4 && value >> 8 == 0x0f) r->map = MAP_0F;
  else if (digits == 6 && value >> 8 == 0x0f38) r->map = MAP_0F38;
  else if (digits == 6 && value >> 8 == 0x0f3a) r->map = MAP_0F3A;
  else bad("bad opcode", text);
  r->opcode = (uint8_t)(value + (plus ? (unsigned)k : 0));
}

static void parse_modrm(struct row *r, const char *text, int k) {
  r->extension = -1;
  r->fixed_modrm = -1;
  if (strcmp(text, "-") == 0) return;
  r->modrm = true;
  if (text[0] == '=') {
    r->fixed_modrm = (int16_t)(strtol(text + 1, NULL, 16) + (text[3] == '+' ? k : 0));
  } else if (strcmp(text, "/k") == 0) {
    r->extension = (int8_t)k;
  } else if (text[0] == '/' && text[1] >= '0' && text[1] <= '7') {
    r->extension = (int8_t)(text[1] - '0');
  } else if (strcmp(text, "/r") != 0) {
    bad("bad ModRM column", text);
  }
}

static void parse_prefix(struct row *r, const char *text) {
  static const struct word prefixes[] = {
    { "-", PREFIX_FREE }, { "np", PREFIX_NONE }, { "66", PREFIX_66 }, { "F3", PREFIX_F3 }, { "F2", PREFIX_F2 }, { NULL, 0 },
  };
  if (text[0] == 'v') {
    r->vex = true;
    text++;
  }
  int p = look_up(prefixes, text);
  if (p < 0) bad("bad prefix", text);
  r->prefix = (uint8_t)p;
}

static void add_row(enum family family, char fields[COLUMNS][FIELD], int k) {
  char text[FIELD];
  if (row_count == MAX_ROWS) bad("too many rows", "");
  struct row *r = &rows[row_count++];
  *r = (struct row){ .family = (uint8_t)family, .vex_l = ANY_VALUE, .vex_w = ANY_VALUE, .weight = 1 };
  if (family == X87) r->undefined_fsw = condition_digits("023");
  alternative(fields[COL_NAMES], k, text);
  snprintf(r->name, sizeof r->name, "%.19s", text);
  alternative(fields[COL_PREFIX], k, text);
  parse_prefix(r, text);
  alternative(fields[COL_OPCODE], k, text);
  parse_opcode(r, text, k);
  alternative(fields[COL_MODRM], k, text);
  parse_modrm(r, text, k);
  alternative(fields[COL_OPERANDS], k, text);
  parse_operands(r, text);
  alternative(fields[COL_ATTRIBUTES], k, text);
  for (char *token = strtok(text, ","); token; token = strtok(NULL, ",")) parse_attribute(r, token);
}

static void load(enum family family, const char *text) {
  while (*text) {
    char fields[COLUMNS][FIELD] = { "", "-", "", "-", "-", "-" };
    const size_t length = strcspn(text, "\n");
    const char *const end = text + length;
    int n = 0;
    current_line = text;
    for (const char *at = text; at < end && n < COLUMNS; n++) {
      while (at < end && *at == ' ') at++;
      size_t width = 0;
      while (at + width < end && at[width] != ' ') width++;
      if (width == 0 || (n == 0 && *at == '#')) break;
      if (width >= FIELD) bad("field too long", "");
      memcpy(fields[n], at, width);
      fields[n][width] = 0;
      at += width;
    }
    if (n > 0) {
      const int names = count_alternatives(fields[COL_NAMES]);
      for (int k = 0; k < names; k++) add_row(family, fields, k);
    }
    text = end + (*end == '\n');
  }
}

void rows_load(void) {
  load(INT, table_int);
  load(STRING, table_string);
  load(BRANCH, table_branch);
  load(BITS, table_bits);
  load(SSE, table_sse);
  load(CRYPTO, table_crypto);
  load(X87, table_x87);
  load(AVX, table_avx);
  load(RAW, table_raw);
}

int kind_size(int kind, int operand_size, int vector_size) {
  switch (kind) {
    case K_B: return 1;
    case K_W: case K_FCW: case K_F16: return 2;
    case K_D: case K_SS: case K_MXCSR: return 4;
    case K_Q: case K_SD: return 8;
    case K_V: return operand_size;
    case K_ZI: return operand_size > 4 ? 4 : operand_size;
    case K_Y: return operand_size == 8 ? 8 : 4;
    case K_BOUNDS: return 2 * operand_size;
    case K_EXTENDED: case K_BCD: return 10;
    case K_ENVIRONMENT: return operand_size == 2 ? 14 : 28;
    case K_FSAVE: return operand_size == 2 ? 94 : 108;
    case K_FXSAVE: return 512;
    case K_XSAVE: return 832;
    case K_HALF: case K_HALF_PS: return vector_size / 2;
    case K_QUARTER: return vector_size / 4;
    case K_EIGHTH: return vector_size / 8;
    case K_XMM: return 16;
    default: return vector_size; // K_X, K_PS, K_PD
  }
}
