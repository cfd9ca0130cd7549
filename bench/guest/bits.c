// SPDX-License-Identifier: Apache-2.0
// Workloads of shifts, wide products and conversions: what cryptography, compressors and codecs do between loads.
#include <emmintrin.h>
#include "workloads.h"

static uint64_t bit_tricks(uint64_t rounds) {
  uint64_t x = 0x123456789abcdef1ull, sum = 0;
  for (uint64_t i = 0; i < rounds; i++) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    uint64_t y = x - (x >> 1 & 0x5555555555555555ull);
    y = (y & 0x3333333333333333ull) + (y >> 2 & 0x3333333333333333ull);
    sum += ((y + (y >> 4)) & 0x0f0f0f0f0f0f0f0full) * 0x0101010101010101ull >> 56;
    sum += __builtin_ctz((uint32_t)x | 1u << 31) + __builtin_clz((uint32_t)x | 1);
    sum ^= __builtin_bswap64(x & -x);
  }
  return sum;
}

static inline uint32_t right(uint32_t x, int n) { return x >> n | x << (32 - n); }

/// The rounds of SHA-256, with constants of our own.
static uint64_t rotate(uint64_t rounds) {
  uint32_t state[8] = {1, 2, 3, 4, 5, 6, 7, 8}, words[64], constants[64], seed = 1;
  for (int i = 0; i < 64; i++) constants[i] = seed = seed * 1664525 + 1013904223;
  while (rounds--) {
    for (int i = 0; i < 16; i++) words[i] = state[i & 7] * (i + 3);
    for (int i = 16; i < 64; i++) {
      uint32_t a = words[i - 15], b = words[i - 2];
      words[i] = words[i - 16] + words[i - 7] + (right(a, 7) ^ right(a, 18) ^ a >> 3) +
                 (right(b, 17) ^ right(b, 19) ^ b >> 10);
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; i++) {
      uint32_t t = h + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + (g ^ (e & (f ^ g))) + constants[i] + words[i];
      uint32_t u = (right(a, 2) ^ right(a, 13) ^ right(a, 22)) + ((a & b) | (c & (a | b)));
      h = g, g = f, f = e, e = d + t, d = c, c = b, b = a, a = t + u;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
  }
  return (uint64_t)state[0] << 32 | state[7];
}

#ifdef __SIZEOF_INT128__
typedef uint64_t limb;
typedef unsigned __int128 product;
#else
typedef uint32_t limb;
typedef uint64_t product;
#endif

/// A product of two long numbers: products of twice a word's width, and carries.
static uint64_t multiply_wide(uint64_t rounds) {
  enum { N = 32, BITS = 8 * sizeof(limb) };
  limb a[N], b[N], sum[2 * N] = {0};
  for (int i = 0; i < N; i++) a[i] = (limb)0x9e3779b97f4a7c15ull * (i + 1), b[i] = (limb)0xbf58476d1ce4e5b9ull * (i + 7);
  while (rounds--) {
    for (int i = 0; i < N; i++) {
      limb carry = 0;
      for (int j = 0; j < N; j++) {
        product p = (product)a[i] * b[j] + sum[i + j] + carry;
        sum[i + j] = (limb)p;
        carry = (limb)(p >> BITS);
      }
      sum[i + N] += carry;
    }
    a[rounds % N] ^= sum[N];
  }
  return sum[N] ^ (uint64_t)sum[2 * N - 1] << 7;
}

static uint64_t divide_64(uint64_t rounds) {
  uint64_t sum = 0, x = ~0ull;
  for (uint64_t i = 1; i <= rounds; i++) {
    uint64_t by = i * 0x10001 + 12345;
    sum += x / by + x % by;
    x -= i << 20;
  }
  return sum;
}

/// Between floating-point formats and whole numbers, square roots, comparisons.
static uint64_t convert(uint64_t rounds) {
  uint64_t sum = 0;
  float narrow = 1;
  for (uint64_t i = 0; i < rounds; i++) {
    double x = (double)(int32_t)(i * 2654435761u);
    if (x < 0) x = -x;
    double root = _mm_cvtsd_f64(_mm_sqrt_sd(_mm_setzero_pd(), _mm_set_sd(x)));
    narrow = (float)root * 0.5f + narrow * 0.25f;
    sum += (uint64_t)(int64_t)(int32_t)narrow + (root > narrow ? 3 : 1);
  }
  return sum;
}

// A 32-bit processor divides 64 bits by a function.
enum { DIVISIONS = sizeof(void *) == 8 ? 130000000 : 6000000 };

const struct workload bit_workloads[] = {
  {"bits", 30000000, bit_tricks},
  {"rotate", 450000, rotate},
  {"multiply-wide", 130000, multiply_wide},
  {"divide-64", DIVISIONS, divide_64},
  {"convert", 10000000, convert},
  {0},
};
