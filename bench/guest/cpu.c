// SPDX-License-Identifier: Apache-2.0
// Workloads that stay in user mode and in the caches: integer, calls, branches, floating point, vectors.
#include <stdlib.h>
#include <string.h>
#include "workloads.h"

static uint64_t integer_mix(uint64_t rounds) {
  uint32_t a = 1, b = 2, c = 3;
  for (uint64_t i = 0; i < rounds; i++) {
    a += b ^ (c << 3);
    b = (b >> 5) + a * 9;
    c ^= a - (b & 0xff);
    if (c & 1) c += 7;
  }
  return (uint64_t)a ^ b ^ c;
}

static uint64_t multiply64(uint64_t rounds) {
  uint64_t x = 88172645463325252ull;
  for (uint64_t i = 0; i < rounds; i++) x = x * 6364136223846793005ull + 1442695040888963407ull;
  return x;
}

static uint64_t divide(uint64_t rounds) {
  uint32_t sum = 0;
  for (uint32_t i = 1; i <= rounds; i++) sum += 0xfffffff1u / i + 0x7ffffff3u % (i | 1);
  return sum;
}

static uint64_t sieve(uint64_t rounds) {
  enum { N = 65536 };
  static uint8_t composite[N];
  uint64_t primes = 0;
  while (rounds--) {
    memset(composite, 0, N);
    for (uint32_t i = 2; i < N; i++) {
      if (composite[i]) continue;
      primes++;
      for (uint32_t j = 2 * i; j < N; j += i) composite[j] = 1;
    }
  }
  return primes;
}

__attribute__((noinline)) static uint32_t fibonacci(uint32_t n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static uint64_t calls(uint64_t rounds) {
  uint64_t sum = 0;
  while (rounds--) sum += fibonacci(22);
  return sum;
}

static int compare(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/// Indirect calls: qsort with a comparison function.
static uint64_t sort(uint64_t rounds) {
  enum { N = 4096 };
  static uint32_t values[N];
  uint32_t seed = 12345;
  while (rounds--) {
    for (int i = 0; i < N; i++) values[i] = seed = seed * 1664525 + 1013904223;
    qsort(values, N, sizeof *values, compare);
  }
  return values[N / 2];
}

static uint64_t table_lookup(uint64_t rounds) {
  static uint32_t table[256];
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  uint32_t crc = ~0u;
  for (uint64_t i = 0; i < rounds; i++) crc = table[(crc ^ i) & 0xff] ^ (crc >> 8);
  return crc;
}

/// A byte-code interpreter: hard-to-predict indirect jumps.
static uint64_t switch_loop(uint64_t rounds) {
  static const uint8_t program[16] = {0, 1, 2, 3, 0, 4, 1, 5, 2, 6, 3, 7, 4, 0, 5, 1};
  uint64_t acc = 1;
  for (uint64_t i = 0; i < rounds; i++) {
    switch (program[(i + acc) & 15]) {
    case 0: acc += 3; break;
    case 1: acc ^= i; break;
    case 2: acc -= 5; break;
    case 3: acc = acc << 1 | acc >> 63; break;
    case 4: acc += i; break;
    case 5: acc ^= acc >> 7; break;
    case 6: acc *= 3; break;
    default: acc = ~acc; break;
    }
  }
  return acc;
}

static uint64_t float_double(uint64_t rounds) {
  double x = 0.5, y = 0.25, z = 1.5;
  for (uint64_t i = 0; i < rounds; i++) {
    double d = x * x + y * y + z * z + 1.0;
    x += (y - x) * 0.01 / d;
    y += (z - y) * 0.02 / d;
    z += (x - z) * 0.03 / d + 0.001;
  }
  return (uint64_t)(int64_t)((x + y + z) * 1e9);
}

static uint64_t float_x87(uint64_t rounds) {
  volatile long double seed = 0.5L;
  long double x = seed, sum = 0;
  for (uint64_t i = 0; i < rounds; i++) {
    x = 3.7L * x * (1.0L - x);
    sum += x;
  }
  return (uint64_t)(int64_t)(sum * 1e3L);
}

static uint64_t vector_sse(uint64_t rounds) {
  enum { N = 1024 };
  static float a[N], b[N], c[N];
  for (int i = 0; i < N; i++) a[i] = i * 0.5f, b[i] = N - i, c[i] = 1.0f;
  while (rounds--)
    for (int i = 0; i < N; i++) c[i] = c[i] * 0.5f + a[i] * b[i] * 1e-6f;
  double sum = 0;
  for (int i = 0; i < N; i++) sum += c[i];
  return (uint64_t)(sum * 1e3);
}

const struct workload cpu_workloads[] = {
  {"integer", 75000000, integer_mix},
  {"multiply", 250000000, multiply64},
  {"divide", 48000000, divide},
  {"sieve", 750, sieve},
  {"calls", 1500, calls},
  {"sort", 400, sort},
  {"table-lookup", 80000000, table_lookup},
  {"switch", 60000000, switch_loop},
  {"double", 6000000, float_double},
  {"x87", 6000000, float_x87},
  {"sse", 32000, vector_sse},
  {0},
};
