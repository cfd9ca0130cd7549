// SPDX-License-Identifier: Apache-2.0
// A small reproducible generator (splitmix64: an additive counter passed through a mixing function).
#ifndef ISOLA_ORACLE_RANDOM_H
#define ISOLA_ORACLE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
  uint64_t counter;
};

static inline uint64_t random_next(struct random *r) {
  uint64_t x = r->counter += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

static inline struct random random_from(uint64_t seed) {
  struct random r = { seed * 0xd1342543de82ef95ull + 1 };
  random_next(&r);
  return r;
}

// 0 .. limit - 1
static inline uint32_t below(struct random *r, uint32_t limit) {
  return (uint32_t)(((random_next(r) >> 32) * limit) >> 32);
}

static inline bool percent(struct random *r, uint32_t chance) {
  return below(r, 100) < chance;
}

#endif
