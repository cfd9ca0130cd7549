// SPDX-License-Identifier: Apache-2.0
// Prints one line for each thing that it computes; debian-session.ts knows what the lines must be.
#include <fenv.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, ROUNDS = 20000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static _Thread_local int mine;
static long locked;
static atomic_long counted;
static int turn, turns;

static void *work(void *argument) {
  int number = (int)(intptr_t)argument;
  for (int i = 0; i < ROUNDS; i++) {
    mine += number;
    atomic_fetch_add(&counted, number);
    pthread_mutex_lock(&mutex);
    locked += number;
    pthread_mutex_unlock(&mutex);
  }
  // In turn, so that every thread sleeps and is woken by another one.
  for (int i = 0; i < 50; i++) {
    pthread_mutex_lock(&mutex);
    while (turn != number) pthread_cond_wait(&turned, &mutex);
    turn = (turn + 1) % THREADS;
    turns++;
    pthread_cond_broadcast(&turned);
    pthread_mutex_unlock(&mutex);
  }
  return (void *)(intptr_t)mine;
}

static void threads(void) {
  pthread_t all[THREADS];
  long sum = 0;
  for (intptr_t i = 0; i < THREADS; i++)
    if (pthread_create(&all[i], NULL, work, (void *)i) != 0) abort();
  for (int i = 0; i < THREADS; i++) {
    void *result;
    pthread_join(all[i], &result);
    sum += (long)(intptr_t)result;
  }
  printf("threads %ld %ld %ld %d\n", sum, locked, atomic_load(&counted), turns);
}

// volatile keeps the compiler from computing all this itself.
static void floats(void) {
  volatile double d = 0;
  volatile float f = 0;
  volatile long double l = 0;
  for (int i = 1; i <= 50000; i++) {
    d += 1.0 / i;
    f += 1.0f / i;
    l += 1.0L / i;
  }
  printf("sums %a %a %La\n", d, f, l);
  printf("decimal %.17g %.9g %.21Lg\n", d, f, l);
  volatile double third = 3;
  volatile long double wide = 3;
  static const int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
  for (int i = 0; i < 4; i++) {
    fesetround(modes[i]);
    printf("mode %d %a %La %ld %lld\n", i, 1 / third, -1 / wide, lrint(third / 2), llrintl(-wide / 2));
  }
  fesetround(FE_TONEAREST);
  feclearexcept(FE_ALL_EXCEPT);
  volatile double zero = 0, tiny = 0x1p-1022, huge = 0x1p1023;
  volatile double results[] = {1 / zero, zero / zero, tiny * 0.3, huge * 2, sqrt(-third)};
  printf("special %g %d %a %g %d", results[0], isnan(results[1]), results[2], results[3], isnan(results[4]));
  printf(" flags %d %d %d %d\n", !!fetestexcept(FE_DIVBYZERO), !!fetestexcept(FE_INVALID), !!fetestexcept(FE_OVERFLOW), !!fetestexcept(FE_UNDERFLOW));
  printf("wide %La %La %Lg %d\n", wide * 0x1p16000L, sqrtl(wide), wide * 0x1p16383L, (int)sizeof(wide));
  printf("library %.14g %.14g %.16Lg %.16Lg %.16Lg\n", sin(1e5), pow(third, 0.7), expl(wide), logl(wide), atan2l(-1, wide));
  printf("remainder %a %La %a %a\n", fmod(1e17, third), remainderl(1e19L, wide * 7), fma(third, 0.1, -0.3), ldexp(third, -1074));
}

static void integers(void) {
  volatile uint64_t a = 0xfedcba9876543210u, b = 0x123456789abcdefu;
  unsigned __int128 product = (unsigned __int128)a * b;
  unsigned __int128 power = 1;
  for (int i = 0; i < 80; i++) power *= 3;
  printf("product %016" PRIx64 "%016" PRIx64 "\n", (uint64_t)(product >> 64), (uint64_t)product);
  printf("quotient %016" PRIx64 " %016" PRIx64 " %016" PRIx64 "\n", (uint64_t)(power / a), (uint64_t)(power % a), (uint64_t)(power >> 64));
  volatile int64_t lowest = INT64_MIN;
  volatile int shift = 13;
  printf("signed %" PRId64 " %" PRId64 " %" PRId64 " %" PRIx64 "\n", lowest / 10, lowest % 10, lowest >> shift, a << shift | a >> (64 - shift));
  printf("bits %d %d %d %" PRIx64 "\n", __builtin_popcountll(a), __builtin_clzll(b), __builtin_ctzll(a), __builtin_bswap64(a));
}

static sigjmp_buf caught;

static void catch(int number) { siglongjmp(caught, number); }

static void signals(void) {
  static const int numbers[] = {SIGSEGV, SIGFPE, SIGILL};
  int seen[3];
  for (int i = 0; i < 3; i++) signal(numbers[i], catch);
  volatile int seven = 7, zero = 0, *volatile nowhere = NULL;
  for (int i = 0; i < 3; i++) {
    seen[i] = sigsetjmp(caught, 1);
    if (seen[i] != 0) continue;
    if (i == 0) *nowhere = 1;
    else if (i == 1) seven /= zero;
    else __builtin_trap();
  }
  printf("signals %d %d %d\n", seen[0] == SIGSEGV, seen[1] == SIGFPE, seen[2] == SIGILL);
}

static int compare(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static void memory(void) {
  size_t count = 100000;
  uint32_t *numbers = malloc(count * sizeof *numbers), state = 1, check = 0;
  for (size_t i = 0; i < count; i++) numbers[i] = state = state * 1664525 + 1013904223;
  qsort(numbers, count, sizeof *numbers, compare);
  for (size_t i = 0; i < count; i++) check = check * 31 + numbers[i];
  char *text = calloc(1, 1 << 20);
  memset(text, 'x', (1 << 20) - 1);
  memmove(text + 3, text, 1000000);
  text[777777] = 'y';
  printf("memory %08" PRIx32 " %zu %td\n", check, strlen(text), strchr(text, 'y') - text);
  free(text);
  free(numbers);
}

int main(void) {
  threads();
  floats();
  integers();
  signals();
  memory();
  return 0;
}
