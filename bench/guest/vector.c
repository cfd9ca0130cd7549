// SPDX-License-Identifier: Apache-2.0
// Workloads of vectors of whole numbers, and those of AVX2, which run only where the processor has it.
#include <immintrin.h>
#include "workloads.h"

enum { N = 4096 };

static uint8_t bytes[N] __attribute__((aligned(32)));

static void fill(void) {
  uint32_t seed = 5;
  for (int i = 0; i < N; i++) bytes[i] = (seed = seed * 1664525 + 1013904223) >> 24;
}

/// Bytes and words: saturated sums, differences, comparisons, shuffles, products that are added up.
static uint64_t sse_integers(uint64_t rounds) {
  fill();
  __m128i *at = (__m128i *)bytes, acc = _mm_setzero_si128(), limit = _mm_set1_epi8(100);
  uint64_t mask = 0;
  while (rounds--)
    for (int i = 0; i < N / 16; i++) {
      __m128i x = at[i], y = at[i ^ 1];
      __m128i high = _mm_unpackhi_epi8(x, y), low = _mm_unpacklo_epi8(x, y);
      mask += _mm_movemask_epi8(_mm_cmpgt_epi8(x, limit));
      acc = _mm_add_epi32(acc, _mm_madd_epi16(high, low));
      acc = _mm_add_epi64(acc, _mm_sad_epu8(x, y));
      acc = _mm_shuffle_epi32(_mm_xor_si128(acc, _mm_adds_epu8(x, y)), 0x4b);
    }
  return mask ^ (uint64_t)(uint32_t)_mm_cvtsi128_si32(acc) << 32;
}

#define AVX2 __attribute__((target("avx2")))
#define AVX2_FMA __attribute__((target("avx2,fma")))

static int has_avx2(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2");
}

static int has_fma(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

/// Bits are counted by a shuffle of nibbles, as databases and codecs do.
AVX2 static uint64_t avx2_bytes(uint64_t rounds) {
  fill();
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, //
                                          0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  __m256i *at = (__m256i *)bytes, sum = _mm256_setzero_si256();
  while (rounds--)
    for (int i = 0; i < N / 32; i++) {
      __m256i x = at[i], low = _mm256_and_si256(x, nibble);
      __m256i high = _mm256_and_si256(_mm256_srli_epi16(x, 4), nibble);
      __m256i count = _mm256_add_epi8(_mm256_shuffle_epi8(counts, low), _mm256_shuffle_epi8(counts, high));
      sum = _mm256_add_epi64(sum, _mm256_sad_epu8(count, _mm256_setzero_si256()));
      sum = _mm256_permute4x64_epi64(sum, 0x93);
    }
  uint64_t lanes[4];
  _mm256_storeu_si256((__m256i *)lanes, sum);
  return lanes[0] + 3 * lanes[1] + 5 * lanes[2] + 7 * lanes[3];
}

AVX2 static uint64_t avx2_floats(uint64_t rounds) {
  static float a[N], b[N], c[N];
  for (int i = 0; i < N; i++) a[i] = i * 0.5f, b[i] = N - i, c[i] = 1.0f;
  const __m256 half = _mm256_set1_ps(0.5f), small = _mm256_set1_ps(1e-6f);
  while (rounds--)
    for (int i = 0; i < N; i += 8) {
      __m256 x = _mm256_mul_ps(_mm256_loadu_ps(a + i), _mm256_mul_ps(_mm256_loadu_ps(b + i), small));
      _mm256_storeu_ps(c + i, _mm256_add_ps(_mm256_mul_ps(_mm256_loadu_ps(c + i), half), x));
    }
  double sum = 0;
  for (int i = 0; i < N; i++) sum += c[i];
  return (uint64_t)(sum * 1e3);
}

/// Loads from where a vector of indices says.
AVX2 static uint64_t avx2_gather(uint64_t rounds) {
  fill();
  const int *table = (const int *)bytes;
  __m256i index = _mm256_setr_epi32(1, 2, 3, 5, 7, 11, 13, 17), sum = _mm256_setzero_si256();
  const __m256i mask = _mm256_set1_epi32(N / 4 - 1), shifts = _mm256_setr_epi32(0, 3, 5, 7, 11, 13, 17, 19);
  while (rounds--) {
    __m256i x = _mm256_i32gather_epi32(table, index, 4);
    sum = _mm256_add_epi32(sum, x);
    index = _mm256_and_si256(_mm256_add_epi32(_mm256_srlv_epi32(x, shifts), _mm256_add_epi32(x, index)), mask);
  }
  uint32_t lanes[8];
  _mm256_storeu_si256((__m256i *)lanes, sum);
  uint64_t total = 0;
  for (int i = 0; i < 8; i++) total = total * 31 + lanes[i];
  return total;
}

AVX2_FMA static uint64_t avx2_fma(uint64_t rounds) {
  __m256d x = _mm256_setr_pd(0.1, 0.2, 0.3, 0.4), sum = _mm256_setzero_pd();
  const __m256d by = _mm256_set1_pd(3.7), one = _mm256_set1_pd(1.0);
  while (rounds--) {
    x = _mm256_mul_pd(by, _mm256_fnmadd_pd(x, x, x));
    sum = _mm256_fmadd_pd(x, one, sum);
  }
  double lanes[4];
  _mm256_storeu_pd(lanes, sum);
  return (uint64_t)((lanes[0] + lanes[1] + lanes[2] + lanes[3]) * 1e3);
}

const struct workload vector_workloads[] = {
  {"sse-integers", 45000, sse_integers},
  {0},
};

const struct workload avx2_workloads[] = {
  {"avx2-bytes", 9000, avx2_bytes, has_avx2},
  {"avx2-floats", 13000, avx2_floats, has_avx2},
  {"avx2-gather", 8000000, avx2_gather, has_avx2},
  {"avx2-fma", 7000000, avx2_fma, has_fma},
  {0},
};
