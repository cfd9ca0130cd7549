// SPDX-License-Identifier: Apache-2.0
// Random operands in which special values, exact results and results next to every boundary are frequent.
#ifndef OPERANDS_H
#define OPERANDS_H
#include <stdint.h>

static uint64_t rng_state;

static uint64_t rnd(void) {  // splitmix64
  uint64_t z = (rng_state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static unsigned pick(unsigned n) { return (unsigned)(rnd() >> 33) % n; }

/* A fraction of `bits` bits: full, few leading bits, runs of ones or zeros, or next to a power of two. */
static uint64_t random_fraction(int bits) {
  uint64_t mask = bits == 64 ? ~0ull : (1ull << bits) - 1, f = rnd() & mask;
  switch (pick(8)) {
    case 0: return 0;
    case 1: return mask;
    case 2: return f & ~(mask >> pick(12));
    case 3: return (f & ~(mask >> pick(bits))) & mask;
    case 4: return mask >> pick(bits);
    case 5: return pick(2) ? pick(4) : mask - pick(4);
    case 6: return (mask & ~(mask >> pick(bits))) | pick(3);
    default: return f;
  }
}

/* binary interchange format with F fraction and X exponent bits */
static uint64_t random_format(int F, int X) {
  int bias = (1 << (X - 1)) - 1, top = (1 << X) - 1, e;
  switch (pick(16)) {
    case 0: e = 0; break;
    case 1: e = top; break;
    case 2: e = 1 + pick(3); break;
    case 3: e = top - 1 - pick(3); break;
    case 4: e = pick(F + 4); break;
    case 5: e = bias / 2 + (int)pick(5) - 2; break;
    case 6: e = bias + bias / 2 + (int)pick(5) - 2; break;
    case 7: e = (int)(rnd() & top); break;
    case 8: e = bias + (int)pick(70); if (e > top) e = top; break;
    case 9: e = bias + (int)pick(36); if (e > top) e = top; break;
    default: e = bias + (int)pick(9) - 4;
  }
  uint64_t f = (e == 0 || e == top) && pick(3) == 0 ? 0 : random_fraction(F);
  return (rnd() >> 63) << (F + X) | (uint64_t)e << F | f;
}

/* An operand next to another one, so that sums cancel and comparisons are close. */
static uint64_t near_format(uint64_t a, int F, int X) {
  uint64_t sign = 1ull << (F + X);
  switch (pick(6)) {
    case 0: return a;
    case 1: return a ^ sign;
    case 2: return (a + pick(5) - 2) & (sign * 2 - 1);
    case 3: return ((a ^ sign) + pick(5) - 2) & (sign * 2 - 1);
    case 4: return (a & ~((1ull << F) - 1)) ^ random_fraction(F) ^ (rnd() & sign);
    default: return random_format(F, X);
  }
}
#endif
