// SPDX-License-Identifier: Apache-2.0
#include "compare.h"
#include <stdio.h>
#include <string.h>

static bool differ(char *why, size_t size, const char *what, int index, uint64_t expected, uint64_t got) {
  if (index >= 0) snprintf(why, size, "%s%d: expected %llx, got %llx", what, index, (unsigned long long)expected, (unsigned long long)got);
  else snprintf(why, size, "%s: expected %llx, got %llx", what, (unsigned long long)expected, (unsigned long long)got);
  return false;
}

static uint64_t first_word(const void *bytes) {
  uint64_t value;
  memcpy(&value, bytes, 8);
  return value;
}

static bool memory_equal(const struct vector *a, const struct vector *b) {
  if (a->diff_count != b->diff_count) return false;
  for (int i = 0; i < a->diff_count; i++) {
    const struct memory_patch *p = &a->diffs[i], *q = &b->diffs[i];
    if (p->address != q->address || p->length != q->length || memcmp(p->bytes, q->bytes, p->length) != 0) return false;
  }
  return true;
}

bool results_equal(const struct vector *expected, const struct vector *got, bool everything, char *why, size_t n) {
  const struct cpu_state *a = &expected->out, *b = &got->out;
  const struct outcome *p = &expected->outcome, *q = &got->outcome;
  if (p->what != q->what) return differ(why, n, "outcome", -1, p->what, q->what);
  if (p->error_code != q->error_code) return differ(why, n, "error code", -1, p->error_code, q->error_code);
  if (p->cr2 != q->cr2) return differ(why, n, "CR2", -1, p->cr2, q->cr2);
  if (a->rip != b->rip) return differ(why, n, "RIP", -1, a->rip, b->rip);
  for (int i = 0; i < GPR_COUNT; i++) {
    const uint64_t mask = !everything && i == expected->masked_gpr ? expected->masked_gpr_compared : ~0ull;
    if ((a->gpr[i] ^ b->gpr[i]) & mask) return differ(why, n, "GPR", i, a->gpr[i], b->gpr[i]);
  }
  const uint32_t flags = everything ? ~(uint32_t)(FLAG_TF | FLAG_RF) : expected->flags_compared;
  if ((a->flags ^ b->flags) & flags) return differ(why, n, "flags", -1, a->flags, b->flags);
  if (!everything && (expected->notes & (NOTE_APPROX_12BIT | NOTE_APPROX_X87))) return true;
  for (int i = 0; i < 16; i++) {
    if (memcmp(a->xmm[i], b->xmm[i], 16)) return differ(why, n, "XMM", i, first_word(a->xmm[i]), first_word(b->xmm[i]));
    if (memcmp(a->ymm_high[i], b->ymm_high[i], 16)) {
      return differ(why, n, "YMM high", i, first_word(a->ymm_high[i]), first_word(b->ymm_high[i]));
    }
  }
  for (int i = 0; i < 8; i++) {
    if (memcmp(a->st[i], b->st[i], 10)) return differ(why, n, "ST", i, first_word(a->st[i]), first_word(b->st[i]));
  }
  const uint16_t fsw = everything ? 0xffff : expected->fsw_compared;
  if ((a->fsw ^ b->fsw) & fsw) return differ(why, n, "FSW", -1, a->fsw, b->fsw);
  if (a->fcw != b->fcw) return differ(why, n, "FCW", -1, a->fcw, b->fcw);
  if (a->ftw != b->ftw) return differ(why, n, "FTW", -1, a->ftw, b->ftw);
  if (a->mxcsr != b->mxcsr) return differ(why, n, "MXCSR", -1, a->mxcsr, b->mxcsr);
  if ((everything || !(expected->notes & NOTE_MEMORY_FREE)) && !memory_equal(expected, got)) {
    snprintf(why, n, "memory: %d changed runs, got %d", expected->diff_count, got->diff_count);
    return false;
  }
  return true;
}
