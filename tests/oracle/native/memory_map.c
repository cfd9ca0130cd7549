// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "memory_map.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "random.h"

struct window windows[WINDOW_COUNT] = {
  [WINDOW_CODE] = { .base = CODE_PAGE, .size = PAGE, .rights = WINDOW_READ | WINDOW_EXECUTE },
  [WINDOW_DATA] = { .base = DATA_WINDOW, .size = DATA_SIZE, .rights = WINDOW_READ | WINDOW_WRITE },
  [WINDOW_READ_ONLY] = { .base = READ_ONLY_WINDOW, .size = PAGE, .rights = WINDOW_READ },
  [WINDOW_LOW] = { .base = LOW_WINDOW, .size = PAGE, .rights = WINDOW_READ | WINDOW_WRITE },
  [WINDOW_HIGH] = { .base = HIGH_WINDOW, .size = PAGE, .rights = WINDOW_READ | WINDOW_WRITE },
};

static uint8_t *expected; // scratch: what a window holds before the run

static void die(const char *what) {
  perror(what);
  exit(2);
}

static void *map_at(uint64_t address, uint64_t size, int protection, int file) {
  const int fixed = address ? MAP_FIXED_NOREPLACE : 0;
  void *got = mmap((void *)address, size, protection, MAP_SHARED | MAP_POPULATE | fixed, file, 0);
  if (got == MAP_FAILED) die("mmap of a guest window (is vm.mmap_min_addr above 0x6000?)");
  return got;
}

void memory_map_create(uint64_t seed) {
  struct random r = random_from(seed);
  for (int i = 0; i < WINDOW_COUNT; i++) {
    struct window *w = &windows[i];
    int file = memfd_create("window", 0);
    if (file < 0 || ftruncate(file, (off_t)w->size) != 0) die("memfd_create");
    int protection = (w->rights & WINDOW_READ ? PROT_READ : 0) | (w->rights & WINDOW_WRITE ? PROT_WRITE : 0) |
                     (w->rights & WINDOW_EXECUTE ? PROT_EXEC : 0);
    map_at(w->base, w->size, protection, file);
    w->view = map_at(0, w->size, PROT_READ | PROT_WRITE, file);
    close(file);
    w->initial = malloc(w->size);
    for (uint64_t at = 0; at < w->size; at += 8) {
      uint64_t value = random_next(&r);
      memcpy(w->initial + at, &value, 8);
    }
    if (i == WINDOW_CODE) memset(w->initial, CODE_FILL, w->size);
    memcpy(w->view, w->initial, w->size);
  }
  expected = malloc(DATA_SIZE);
}

uint8_t *memory_view(uint64_t address, uint64_t length) {
  for (int i = WINDOW_DATA; i < WINDOW_COUNT; i++) {
    const struct window *w = &windows[i];
    if (address >= w->base && length <= w->size && address - w->base <= w->size - length) {
      return w->view + (address - w->base);
    }
  }
  return NULL;
}

void memory_prepare(const struct vector *vector, uint64_t start) {
  for (int i = 0; i < WINDOW_COUNT; i++) memcpy(windows[i].view, windows[i].initial, windows[i].size);
  memcpy(windows[WINDOW_CODE].view + (start - CODE_PAGE), vector->code, vector->code_length);
  for (int i = 0; i < vector->patch_count; i++) {
    const struct memory_patch *p = &vector->patches[i];
    uint8_t *to = memory_view(p->address, p->length);
    if (to) memcpy(to, p->bytes, p->length);
  }
}

static bool add_diff(struct vector *vector, const struct window *w, uint64_t from, uint64_t to) {
  while (from < to) {
    if (vector->diff_count == MAX_DIFFS) return false;
    struct memory_patch *d = &vector->diffs[vector->diff_count++];
    d->address = w->base + from;
    d->length = (uint16_t)(to - from > 255 ? 255 : to - from); // lengths are one byte in the file
    memcpy(d->bytes, w->view + from, d->length);
    from += d->length;
  }
  return true;
}

bool memory_collect_diffs(struct vector *vector) {
  const uint64_t gap = 6; // differing bytes closer than this share a run
  vector->diff_count = 0;
  for (int i = WINDOW_DATA; i < WINDOW_COUNT; i++) {
    const struct window *w = &windows[i];
    memcpy(expected, w->initial, w->size);
    for (int k = 0; k < vector->patch_count; k++) {
      const struct memory_patch *p = &vector->patches[k];
      if (p->address >= w->base && p->address - w->base + p->length <= w->size) {
        memcpy(expected + (p->address - w->base), p->bytes, p->length);
      }
    }
    if (memcmp(expected, w->view, w->size) == 0) continue;
    uint64_t first = 0, last = 0;
    bool open = false;
    for (uint64_t at = 0; at < w->size; at++) {
      if (expected[at] == w->view[at]) continue;
      if (open && at - last >= gap) {
        if (!add_diff(vector, w, first, last + 1)) return false;
        open = false;
      }
      if (!open) first = at;
      open = true;
      last = at;
    }
    if (open && !add_diff(vector, w, first, last + 1)) return false;
  }
  return true;
}
