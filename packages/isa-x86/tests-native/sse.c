// SPDX-License-Identifier: Apache-2.0
// Runs scalar SSE, FMA and F16C instructions of this processor on random operands and writes what they did:
// records of 48 bytes: u32 operation, u32 MXCSR before, u64 a, b, c, result, u32 MXCSR after, u32 1 if it trapped.
// usage: sse SEED COUNT
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>
#include "operands.h"

typedef struct { uint32_t op, mxcsr; uint64_t a, b, c, result; uint32_t after, trapped; } Record;
static sigjmp_buf resume;
static volatile uint32_t trap_mxcsr;

static void on_fpe(int number, siginfo_t *info, void *context) {
  (void)number; (void)info;
  trap_mxcsr = ((ucontext_t *)context)->uc_mcontext.fpregs->mxcsr;
  siglongjmp(resume, 1);
}

#define BINARY(n, insn) case n: asm volatile("ldmxcsr %3\n" insn " %2, %0\nstmxcsr %1" : "+x"(x), "=m"(after) : "x"(y), "m"(r->mxcsr)); break;
#define UNARY(n, insn) case n: asm volatile("ldmxcsr %3\n" insn " %2, %0\nstmxcsr %1" : "+x"(x), "=m"(after) : "x"(x), "m"(r->mxcsr)); break;
#define FMA(n, insn) case n: asm volatile("ldmxcsr %4\n" insn " %3, %2, %0\nstmxcsr %1" : "+x"(x), "=m"(after) : "x"(y), "x"(z), "m"(r->mxcsr)); break;
#define FROM_INT(n, insn, T) case n: asm volatile("ldmxcsr %3\n" insn " %2, %0\nstmxcsr %1" : "+x"(x), "=m"(after) : "r"((T)r->a), "m"(r->mxcsr)); break;
#define TO_INT(n, insn, T) case n: { T t; asm volatile("ldmxcsr %3\n" insn " %2, %0\nstmxcsr %1" : "=r"(t), "=m"(after) : "x"(x), "m"(r->mxcsr)); out = (uint64_t)(int64_t)t; integer = 1; break; }
#define COMPARE(n, insn) case n: { uint64_t f; asm volatile("ldmxcsr %3\n" insn " %4, %2\nstmxcsr %1\npushfq\npop %0" : "=r"(f), "=m"(after) : "x"(x), "m"(r->mxcsr), "x"(y) : "cc"); out = f & 0x45; integer = 1; break; }
#define ROUND(n, insn, imm) case n: asm volatile("ldmxcsr %3\n" insn " $" #imm ", %2, %0\nstmxcsr %1" : "+x"(x), "=m"(after) : "x"(x), "m"(r->mxcsr)); break;

typedef double V __attribute__((vector_size(16)));
union Bits { V v; uint64_t q[2]; };

enum { OPERATIONS = 49 };

static void run(Record *r) {
  union Bits ua = {.q = {r->a, 0}}, ub = {.q = {r->b, 0}}, uc = {.q = {r->c, 0}};
  V x = ua.v, y = ub.v, z = uc.v;
  volatile uint64_t out = 0;
  volatile int integer = 0;
  uint32_t after = 0, plain = 0x1f80;
  if (sigsetjmp(resume, 1)) {
    asm volatile("ldmxcsr %0" ::"m"(plain));
    r->result = 0; r->after = trap_mxcsr; r->trapped = 1;
    return;
  }
  switch (r->op) {
    BINARY(0, "addss") BINARY(1, "subss") BINARY(2, "mulss") BINARY(3, "divss") UNARY(4, "sqrtss")
    BINARY(5, "minss") BINARY(6, "maxss") COMPARE(7, "comiss") COMPARE(8, "ucomiss") FMA(9, "vfmadd213ss")
    BINARY(10, "addsd") BINARY(11, "subsd") BINARY(12, "mulsd") BINARY(13, "divsd") UNARY(14, "sqrtsd")
    BINARY(15, "minsd") BINARY(16, "maxsd") COMPARE(17, "comisd") COMPARE(18, "ucomisd") FMA(19, "vfmadd213sd")
    UNARY(20, "cvtss2sd") UNARY(21, "cvtsd2ss")
    FROM_INT(22, "cvtsi2ssl", int32_t) FROM_INT(23, "cvtsi2ssq", int64_t)
    FROM_INT(24, "cvtsi2sdl", int32_t) FROM_INT(25, "cvtsi2sdq", int64_t)
    TO_INT(26, "cvtss2si", int32_t) TO_INT(27, "cvttss2si", int32_t) TO_INT(28, "cvtss2si", int64_t) TO_INT(29, "cvttss2si", int64_t)
    TO_INT(30, "cvtsd2si", int32_t) TO_INT(31, "cvttsd2si", int32_t) TO_INT(32, "cvtsd2si", int64_t) TO_INT(33, "cvttsd2si", int64_t)
    ROUND(34, "roundss", 0) ROUND(35, "roundss", 1) ROUND(36, "roundss", 2) ROUND(37, "roundss", 11) ROUND(38, "roundss", 4)
    ROUND(39, "roundsd", 0) ROUND(40, "roundsd", 1) ROUND(41, "roundsd", 2) ROUND(42, "roundsd", 11) ROUND(43, "roundsd", 4)
    UNARY(44, "vcvtph2ps")
    case 45: asm volatile("ldmxcsr %3\nvcvtps2ph $4, %2, %0\nstmxcsr %1" : "+x"(x), "=m"(after) : "x"(x), "m"(r->mxcsr)); break;
    case 46: asm volatile("ldmxcsr %3\nvcvtps2ph $3, %2, %0\nstmxcsr %1" : "+x"(x), "=m"(after) : "x"(x), "m"(r->mxcsr)); break;
    /* which NaN wins in the other two operand orders */
    FMA(47, "vfmadd132sd") FMA(48, "vfmadd231sd")
  }
  asm volatile("ldmxcsr %0" ::"m"(plain));
  union Bits ux = {.v = x};
  r->result = integer ? out : ux.q[0];
  r->after = after;
}

static int is_single(uint32_t op) {
  return op < 10 || op == 20 || (op >= 26 && op < 30) || (op >= 34 && op < 39) || op == 45 || op == 46;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  rng_state = strtoull(argv[1], 0, 0);
  unsigned long count = strtoul(argv[2], 0, 0);
  struct sigaction action = {.sa_sigaction = on_fpe, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGFPE, &action, 0);
  for (unsigned long i = 0; i < count; i++) {
    Record r = {.op = i % OPERATIONS};
    r.mxcsr = 0x1f80 | pick(4) << 13;
    if (pick(4) == 0) r.mxcsr |= 0x8000;
    if (pick(4) == 0) r.mxcsr |= 0x40;
    if (pick(8) == 0) r.mxcsr &= ~(uint32_t)((rnd() & rnd() & 63) << 7);
    if (pick(8) == 0) r.mxcsr |= 0x20;
    int F = is_single(r.op) ? 23 : r.op == 44 ? 10 : 52, X = F == 23 ? 8 : F == 10 ? 5 : 11;
    r.a = random_format(F, X);
    r.b = pick(3) ? random_format(F, X) : near_format(r.a, F, X);
    r.c = pick(3) ? random_format(F, X) : near_format(r.b, F, X);
    if (r.op == 21 && pick(2)) {  /* binary64 values around the range of binary32 */
      uint64_t s = random_format(23, 8);
      r.a = (s >> 31) << 63 | (((s >> 23 & 0xff) + 896 - 2 * (pick(8) == 0) * pick(20)) << 52) | (s & 0x7fffff) << 29 | (random_fraction(29) & -(uint64_t)pick(2));
    }
    if (r.op >= 22 && r.op < 26) r.a = pick(2) ? rnd() >> pick(64) : -(rnd() >> pick(64));
    if ((r.op == 9 || r.op == 19) && pick(3) == 0) {  /* addends close to the product */
      if (F == 23) { float p, m; __builtin_memcpy(&p, &r.a, 4); __builtin_memcpy(&m, &r.b, 4); p = -p * m; r.c = 0; __builtin_memcpy(&r.c, &p, 4); }
      else { double p, m; __builtin_memcpy(&p, &r.a, 8); __builtin_memcpy(&m, &r.b, 8); p = -p * m; __builtin_memcpy(&r.c, &p, 8); }
      if (pick(2)) r.c = near_format(r.c, F, X);
    }
    run(&r);
    if (fwrite(&r, sizeof r, 1, stdout) != 1) return 1;
  }
  return 0;
}
