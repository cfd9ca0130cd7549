// SPDX-License-Identifier: Apache-2.0
// Workloads that move data: copies, strides, pages that do not fit a TLB.
#include <stdlib.h>
#include <string.h>
#include "workloads.h"

enum { AREA = 32 << 20, PAGE = 4096 };

static uint8_t *area(void) {
  static uint8_t *bytes;
  if (!bytes) {
    bytes = malloc(AREA);
    memset(bytes, 1, AREA);
  }
  return bytes;
}

/// memcpy of half a megabyte: `rep movs` or vector moves, as the C library chooses.
static uint64_t copy(uint64_t rounds) {
  uint8_t *bytes = area();
  while (rounds--) memcpy(bytes + (8 << 20), bytes, 512 << 10);
  return bytes[8 << 20];
}

static uint64_t words(uint64_t rounds) {
  uint64_t *bytes = (uint64_t *)area(), sum = 0;
  while (rounds--)
    for (size_t i = 0; i < (1 << 20) / 8; i++) {
      sum += bytes[i];
      bytes[i] = sum;
    }
  return sum;
}

/// One access a page in pseudo-random order over 32 MiB: every access misses a small TLB.
static uint64_t tlb_walk(uint64_t rounds) {
  uint8_t *bytes = area();
  uint32_t at = 1;
  uint64_t sum = 0;
  for (uint64_t i = 0; i < rounds; i++) {
    at = at * 1664525 + 1013904223;
    sum += bytes[(at >> 8) % (AREA / PAGE) * PAGE + (at & 0xfc0)]++;
  }
  return sum;
}

static uint64_t strings(uint64_t rounds) {
  static char text[4097];
  memset(text, 'x', 4096);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < rounds; i++) {
    text[i & 4095] = 'y';
    sum += strlen(text) + (uintptr_t)((char *)memchr(text, 'y', 4096) - text);
    text[i & 4095] = 'x';
  }
  return sum;
}

/// The string instructions as kernels use them: short and long moves and fills, and comparisons.
static uint64_t repeats(uint64_t rounds) {
  enum { N = 8192 };
  static uint8_t from[N], to[N];
  uint64_t sum = 0;
  for (uint64_t i = 0; i < rounds; i++) {
    size_t length = i & 1 ? 4096 : 24 + (i >> 1 & 63), count = length;
    const uint8_t *source = from + (i & 31);
    uint8_t *target = to;
    __asm__ volatile("rep movsb" : "+S"(source), "+D"(target), "+c"(count) : : "memory");
    target = from + (i & 63), count = length / 4;
    __asm__ volatile("rep stosl" : "+D"(target), "+c"(count) : "a"((uint32_t)i) : "memory");
    source = from, target = to, count = 64;
    __asm__ volatile("repe cmpsb" : "+S"(source), "+D"(target), "+c"(count) : : "memory", "cc");
    sum += count + to[length - 1];
  }
  return sum;
}

const struct workload memory_workloads[] = {
  {"copy", 400, copy},
  {"words", 600, words},
  {"tlb-walk", 4000000, tlb_walk},
  {"strings", 150000, strings},
  {"rep", 150000, repeats},
  {0},
};
