// SPDX-License-Identifier: Apache-2.0
#include "vector_file.h"
#include <stdlib.h>
#include <string.h>
#include "execute.h"
#include "generate.h"
#include "memory_map.h"
#include "row.h"

static const char magic[8] = "ISOLAVEC";
enum { VERSION = 1, COUNT_OFFSET = 12 };

// Items of a record: a tag byte and a payload whose size the tag decides.
enum {
  TAG_GPR = 0x00, TAG_XMM = 0x10, TAG_YMM_HIGH = 0x20, TAG_ST = 0x30, TAG_RIP = 0x40, TAG_FCW, TAG_FSW, TAG_FTW, TAG_MXCSR,
  TAG_ERROR, TAG_CR2, TAG_MEMORY = 0x50, TAG_MASKED_GPR, TAG_FSW_COMPARED, TAG_OUT = 0xfe, TAG_END = 0xff,
};

static uint8_t record[65536];
static size_t used;

static void put_bytes(const void *bytes, size_t n) {
  memcpy(record + used, bytes, n);
  used += n;
}

static void put(uint64_t value, size_t n) {
  put_bytes(&value, n);
}

static void put_tag(int tag, const void *bytes, size_t n) {
  put((uint64_t)tag, 1);
  put_bytes(bytes, n);
}

static void put_state(const struct cpu_state *s) {
  put_bytes(s->gpr, sizeof s->gpr);
  put(s->flags, 4);
  put(s->mxcsr, 4);
  put(s->fcw, 2);
  put(s->fsw, 2);
  put(s->ftw, 1);
  put_bytes(s->st, sizeof s->st);
  put_bytes(s->xmm, sizeof s->xmm);
  put_bytes(s->ymm_high, sizeof s->ymm_high);
}

static void put_header(int mode, uint64_t seed) {
  const struct selectors selectors = execute_selectors(mode);
  used = 0;
  put_bytes(magic, 8);
  put(VERSION, 2);
  put((uint64_t)mode, 1);
  put(execute_has_avx(), 1);
  put(0, 4); // count
  put(seed, 8);
  put(CODE_END, 8);
  put_bytes(&selectors, sizeof selectors);
  put(WINDOW_COUNT, 1);
  for (int i = 0; i < WINDOW_COUNT; i++) {
    put(windows[i].base, 8);
    put(windows[i].size, 4);
    put((uint64_t)windows[i].rights, 1);
    put_bytes(windows[i].initial, windows[i].size);
  }
}

// The header is larger than one record, so it goes out in pieces; `piece` is called after each.
static void emit_header(int mode, uint64_t seed, void (*piece)(void *), void *context) {
  put_header(mode, seed);
  piece(context);
  used = 0;
  put(BACKGROUND_COUNT, 1);
  for (int i = 0; i < BACKGROUND_COUNT; i++) put_state(&backgrounds[i]);
  piece(context);
  used = 0;
  put((uint64_t)row_count, 2);
  for (int i = 0; i < row_count; i++) {
    const size_t length = strlen(rows[i].name);
    put(rows[i].family, 1);
    put(length, 1);
    put_bytes(rows[i].name, length);
  }
  piece(context);
}

static void write_piece(void *file) {
  if (fwrite(record, 1, used, file) != used) {
    perror("oracle: writing vectors");
    exit(2);
  }
}

void vector_file_start(FILE *file, int mode, uint64_t seed) {
  emit_header(mode, seed, write_piece, file);
}

void vector_file_finish(FILE *file, uint32_t count) {
  if (fseek(file, COUNT_OFFSET, SEEK_SET) != 0 || fwrite(&count, 4, 1, file) != 1 || fclose(file) != 0) {
    perror("oracle: writing vectors");
    exit(2);
  }
}

static void put_state_changes(const struct cpu_state *from, const struct cpu_state *to, size_t word) {
  for (int i = 0; i < GPR_COUNT; i++) {
    if (from->gpr[i] != to->gpr[i]) put_tag(TAG_GPR + i, &to->gpr[i], word);
  }
  for (int i = 0; i < 16; i++) {
    if (memcmp(from->xmm[i], to->xmm[i], 16)) put_tag(TAG_XMM + i, to->xmm[i], 16);
    if (memcmp(from->ymm_high[i], to->ymm_high[i], 16)) put_tag(TAG_YMM_HIGH + i, to->ymm_high[i], 16);
  }
  for (int i = 0; i < 8; i++) {
    if (memcmp(from->st[i], to->st[i], 10)) put_tag(TAG_ST + i, to->st[i], 10);
  }
  if (from->fcw != to->fcw) put_tag(TAG_FCW, &to->fcw, 2);
  if (from->fsw != to->fsw) put_tag(TAG_FSW, &to->fsw, 2);
  if (from->ftw != to->ftw) put_tag(TAG_FTW, &to->ftw, 1);
  if (from->mxcsr != to->mxcsr) put_tag(TAG_MXCSR, &to->mxcsr, 4);
}

static void put_memory(const struct memory_patch *patches, int count) {
  for (int i = 0; i < count; i++) {
    const struct memory_patch *p = &patches[i];
    for (uint16_t at = 0; at < p->length;) { // lengths are one byte
      const uint16_t n = (uint16_t)(p->length - at > 255 ? 255 : p->length - at);
      put(TAG_MEMORY, 1);
      put(p->address + at, 8);
      put(n, 1);
      put_bytes(p->bytes + at, n);
      at = (uint16_t)(at + n);
    }
  }
}

// Where RIP ends up unless the record says otherwise.
static uint64_t usual_rip(const struct vector *v) {
  return v->outcome.what == OUTCOME_COMPLETED ? CODE_END : CODE_END - v->code_length;
}

void vector_file_append(FILE *file, const struct vector *v) {
  const size_t word = v->mode == 64 ? 8 : 4;
  used = 2; // the length comes last
  put(v->row, 2);
  put(v->background, 1);
  put(v->outcome.what, 1);
  put(v->notes, 1);
  put(v->code_length, 1);
  put_bytes(v->code, v->code_length);
  put(v->in.flags, 4);
  put(v->out.flags, 4);
  put(v->flags_compared, 4);
  put_state_changes(&backgrounds[v->background], &v->in, word);
  put_memory(v->patches, v->patch_count);
  put(TAG_OUT, 1);
  put_state_changes(&v->in, &v->out, word);
  if (v->out.rip != usual_rip(v)) put_tag(TAG_RIP, &v->out.rip, 8);
  if (v->outcome.error_code) put_tag(TAG_ERROR, &v->outcome.error_code, 4);
  if (v->outcome.cr2) put_tag(TAG_CR2, &v->outcome.cr2, 8);
  if (v->fsw_compared != 0xffff) put_tag(TAG_FSW_COMPARED, &v->fsw_compared, 2);
  if (v->masked_gpr != NO_GPR) {
    put_tag(TAG_MASKED_GPR, &v->masked_gpr, 1);
    put(v->masked_gpr_compared, 8);
  }
  put_memory(v->diffs, v->diff_count);
  put(TAG_END, 1);
  const uint16_t total = (uint16_t)used;
  memcpy(record, &total, 2);
  write_piece(file);
}

static void refuse(const char *why) {
  fprintf(stderr, "oracle: not a usable vector file: %s\n", why);
  exit(2);
}

void vector_file_open(struct vector_reader *reader, const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0) {
    perror(path);
    exit(2);
  }
  *reader = (struct vector_reader){ .length = (size_t)ftell(file) };
  rewind(file);
  reader->bytes = malloc(reader->length);
  if (!reader->bytes || fread(reader->bytes, 1, reader->length, file) != reader->length) refuse("cannot read all of it");
  fclose(file);
  uint16_t version;
  if (reader->length < 24 || memcmp(reader->bytes, magic, 8) != 0) refuse("wrong magic");
  memcpy(&version, reader->bytes + 8, 2);
  if (version != VERSION) refuse("another version of the format");
  reader->mode = reader->bytes[10];
  memcpy(&reader->count, reader->bytes + COUNT_OFFSET, 4);
  memcpy(&reader->seed, reader->bytes + 16, 8);
}

static void check_piece(void *context) {
  struct vector_reader *reader = context;
  const size_t skip = reader->at == 0 ? 16 : 0; // up to the count
  if (reader->at + used > reader->length || memcmp(reader->bytes + reader->at + skip, record + skip, used - skip) != 0) {
    refuse("made by another generator (tables or memory contents differ)");
  }
  reader->at += used;
}

void vector_file_check_header(struct vector_reader *reader) {
  emit_header(reader->mode, reader->seed, check_piece, reader);
}

static void take(struct vector_reader *reader, void *to, size_t n) {
  if (reader->at + n > reader->length) refuse("it ends in the middle of a vector");
  memcpy(to, reader->bytes + reader->at, n);
  reader->at += n;
}

static void take_gpr(struct vector_reader *reader, uint64_t *gpr, size_t word) {
  *gpr = 0;
  take(reader, gpr, word);
}

static void take_memory(struct vector_reader *reader, struct memory_patch *patches, int *count, int limit) {
  uint8_t n;
  uint64_t address;
  take(reader, &address, 8);
  take(reader, &n, 1);
  // A patch longer than 255 bytes was written in pieces.
  struct memory_patch *last = *count ? &patches[*count - 1] : NULL;
  if (limit == MAX_PATCHES && last && last->address + last->length == address && last->length + n <= 512) {
    take(reader, last->bytes + last->length, n);
    last->length = (uint16_t)(last->length + n);
    return;
  }
  if (*count == limit) refuse("too many memory items");
  struct memory_patch *p = &patches[(*count)++];
  p->address = address;
  p->length = n;
  take(reader, p->bytes, n);
}

void vector_file_next(struct vector_reader *reader, struct vector *v) {
  const size_t word = reader->mode == 64 ? 8 : 4;
  uint16_t total;
  uint8_t tag;
  int patches = 0, diffs = 0;
  bool out = false;
  take(reader, &total, 2);
  take(reader, &v->row, 2);
  take(reader, &v->background, 1);
  take(reader, &v->outcome.what, 1);
  take(reader, &v->notes, 1);
  take(reader, &v->code_length, 1);
  if (v->code_length > MAX_CODE || v->background >= BACKGROUND_COUNT || v->row >= row_count) refuse("a field is out of range");
  take(reader, v->code, v->code_length);
  v->mode = (uint8_t)reader->mode;
  v->in = backgrounds[v->background];
  v->in.rip = CODE_END - v->code_length;
  v->outcome.error_code = 0;
  v->outcome.cr2 = 0;
  v->fsw_compared = 0xffff;
  v->masked_gpr = NO_GPR;
  v->masked_gpr_compared = ~0ull;
  take(reader, &v->in.flags, 4);
  uint32_t flags_out;
  take(reader, &flags_out, 4);
  take(reader, &v->flags_compared, 4);
  struct cpu_state *s = &v->in;
  for (take(reader, &tag, 1); tag != TAG_END; take(reader, &tag, 1)) {
    if (tag < TAG_XMM) take_gpr(reader, &s->gpr[tag], word);
    else if (tag < TAG_YMM_HIGH) take(reader, s->xmm[tag - TAG_XMM], 16);
    else if (tag < TAG_ST) take(reader, s->ymm_high[tag - TAG_YMM_HIGH], 16);
    else if (tag < TAG_ST + 8) take(reader, s->st[tag - TAG_ST], 10);
    else switch (tag) {
      case TAG_RIP: take(reader, &s->rip, 8); break;
      case TAG_FCW: take(reader, &s->fcw, 2); break;
      case TAG_FSW: take(reader, &s->fsw, 2); break;
      case TAG_FTW: take(reader, &s->ftw, 1); break;
      case TAG_MXCSR: take(reader, &s->mxcsr, 4); break;
      case TAG_ERROR: take(reader, &v->outcome.error_code, 4); break;
      case TAG_CR2: take(reader, &v->outcome.cr2, 8); break;
      case TAG_FSW_COMPARED: take(reader, &v->fsw_compared, 2); break;
      case TAG_MASKED_GPR:
        take(reader, &v->masked_gpr, 1);
        take(reader, &v->masked_gpr_compared, 8);
        break;
      case TAG_MEMORY:
        if (out) take_memory(reader, v->diffs, &diffs, MAX_DIFFS);
        else take_memory(reader, v->patches, &patches, MAX_PATCHES);
        break;
      case TAG_OUT:
        v->out = v->in;
        v->out.flags = flags_out;
        v->out.rip = usual_rip(v);
        s = &v->out;
        out = true;
        break;
      default: refuse("unknown tag");
    }
  }
  v->patch_count = (uint8_t)patches;
  v->diff_count = (uint8_t)diffs;
}
