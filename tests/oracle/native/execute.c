// SPDX-License-Identifier: Apache-2.0
// Runs one instruction on this CPU with a chosen state. State goes in through a hand-made signal frame and comes out
// of the frame of the signal that ends the run. Since the harness is a 64-bit process that lives above 4 GiB, 32-bit
// code (run through the 32-bit code selector of the same frame) cannot reach any of its memory.
#define _GNU_SOURCE
#include "execute.h"
#include <cpuid.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/ucontext.h>
#include <unistd.h>
#include "memory_map.h"

// Selectors every x86-64 Linux has (arch/x86/include/asm/segment.h).
enum { USER_CS_64 = 0x33, USER_CS_32 = 0x23, USER_DS = 0x2b };
// uc_flags of the kernel's <asm/ucontext.h>.
enum { UC_FP_XSTATE = 1, UC_SIGCONTEXT_SS = 2, UC_STRICT_RESTORE_SS = 4 };
// FXSAVE and XSAVE areas, SDM 1 tables 10-2 and 13-1.
enum { FX_FCW = 0, FX_FSW = 2, FX_FTW = 4, FX_MXCSR = 24, FX_ST = 32, FX_XMM = 160, XSAVE_BV = 512, XSAVE_HEADER_END = 576 };
enum { XSTATE_X87 = 1, XSTATE_SSE = 2, XSTATE_AVX = 4 };
enum { FX_SOFTWARE = 464, SOFTWARE_MAGIC = 0x46505853 };
enum { TICK_MICROSECONDS = 20000, TICKS_BEFORE_HANG = 4 };

void enter_guest(void *ucontext);
void signal_entry(int signal, siginfo_t *info, void *context);
int on_signal(int signal, siginfo_t *info, void *context);

static uint8_t mould[16384] __attribute__((aligned(64))); // ucontext, then the floating-point area at MOULD_FP
enum { MOULD_FP = 1024 };
static uint32_t avx_offset; // of the YMM high halves in the area, 0 without AVX
static bool mould_taken;
static volatile sig_atomic_t in_guest;
static volatile sig_atomic_t ticks;
static struct cpu_state *captured_state;
static struct { uint64_t trap, error, cr2; bool hang; } captured;

static const int gregs[GPR_COUNT] = {
  REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
  REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

static void take_mould(const ucontext_t *uc) {
  const uint8_t *fp = (const uint8_t *)uc->uc_mcontext.fpregs;
  uint32_t magic, size = 512;
  memcpy(&magic, fp + FX_SOFTWARE, 4);
  if ((uc->uc_flags & UC_FP_XSTATE) && magic == SOFTWARE_MAGIC) {
    memcpy(&size, fp + FX_SOFTWARE + 4, 4); // extended_size, the closing magic number included
    uint32_t a, b, c, d;
    if (__get_cpuid_count(13, 2, &a, &b, &c, &d) && a == 256) avx_offset = b;
  }
  if (MOULD_FP + size > sizeof mould) abort();
  memcpy(mould, uc, sizeof *uc);
  memcpy(mould + MOULD_FP, fp, size);
  ucontext_t *m = (ucontext_t *)mould;
  m->uc_flags |= UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
  m->uc_mcontext.fpregs = (fpregset_t)(mould + MOULD_FP);
  mould_taken = true;
}

static void fill_mould(const struct cpu_state *s, int mode) {
  ucontext_t *m = (ucontext_t *)mould;
  uint8_t *fp = mould + MOULD_FP;
  greg_t *g = m->uc_mcontext.gregs;
  for (int i = 0; i < GPR_COUNT; i++) g[gregs[i]] = (greg_t)s->gpr[i];
  g[REG_RIP] = (greg_t)s->rip;
  g[REG_EFL] = s->flags;
  uint64_t cs = mode == 64 ? USER_CS_64 : USER_CS_32;
  g[REG_CSGSFS] = (greg_t)(cs | (uint64_t)USER_DS << 48);
  memset(fp, 0, 32);
  memcpy(fp + FX_FCW, &s->fcw, 2);
  memcpy(fp + FX_FSW, &s->fsw, 2);
  fp[FX_FTW] = s->ftw;
  memcpy(fp + FX_MXCSR, &s->mxcsr, 4);
  for (int i = 0; i < 8; i++) memcpy(fp + FX_ST + 16 * i, s->st[i], 10);
  memcpy(fp + FX_XMM, s->xmm, 256);
  if (avx_offset) {
    uint64_t components = XSTATE_X87 | XSTATE_SSE | XSTATE_AVX;
    memset(fp + XSAVE_BV, 0, XSAVE_HEADER_END - XSAVE_BV);
    memcpy(fp + XSAVE_BV, &components, 8);
    memcpy(fp + avx_offset, s->ymm_high, 256);
  }
}

static void capture(const ucontext_t *uc) {
  struct cpu_state *s = captured_state;
  const greg_t *g = uc->uc_mcontext.gregs;
  const uint8_t *fp = (const uint8_t *)uc->uc_mcontext.fpregs;
  for (int i = 0; i < GPR_COUNT; i++) s->gpr[i] = (uint64_t)g[gregs[i]];
  s->rip = (uint64_t)g[REG_RIP];
  s->flags = (uint32_t)g[REG_EFL];
  captured.trap = (uint64_t)g[REG_TRAPNO];
  captured.error = (uint64_t)g[REG_ERR];
  captured.cr2 = (uint64_t)g[REG_CR2];
  uint64_t components = XSTATE_X87 | XSTATE_SSE;
  if (avx_offset) memcpy(&components, fp + XSAVE_BV, 8);
  memcpy(&s->mxcsr, fp + FX_MXCSR, 4);
  // A component that is absent from the frame is in its initial state (SDM 1 §13.6).
  s->fcw = 0x37f;
  s->fsw = 0;
  s->ftw = 0;
  memset(s->st, 0, sizeof s->st);
  memset(s->xmm, 0, sizeof s->xmm);
  memset(s->ymm_high, 0, sizeof s->ymm_high);
  if (components & XSTATE_X87) {
    memcpy(&s->fcw, fp + FX_FCW, 2);
    memcpy(&s->fsw, fp + FX_FSW, 2);
    s->ftw = fp[FX_FTW];
    for (int i = 0; i < 8; i++) memcpy(s->st[i], fp + FX_ST + 16 * i, 10);
  }
  if (components & XSTATE_SSE) memcpy(s->xmm, fp + FX_XMM, 256);
  if (avx_offset && (components & XSTATE_AVX)) memcpy(s->ymm_high, fp + avx_offset, 256);
}

// Returns 0 to leave the guest, 1 to go on with what was interrupted.
int on_signal(int signal, siginfo_t *info, void *context) {
  const ucontext_t *uc = context;
  (void)info;
  if (signal == SIGUSR1 && !mould_taken) {
    take_mould(uc);
    return 1;
  }
  if (signal == SIGALRM) {
    if (!in_guest || ++ticks < TICKS_BEFORE_HANG) return 1;
    captured.hang = true;
  } else if (!in_guest) {
    static const char text[] = "oracle: fault inside the harness\n";
    if (write(2, text, sizeof text - 1) < 0) _exit(3);
    _exit(3);
  }
  in_guest = 0;
  capture(uc);
  return 0;
}

void execute_setup(void) {
  stack_t stack = { .ss_size = 1 << 17 };
  stack.ss_sp = mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL) != 0) abort();
  struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
  action.sa_sigaction = signal_entry;
  static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGALRM, SIGUSR1 };
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
  raise(SIGUSR1);
  if (!mould_taken) abort();
  // A 64-bit process starts with null DS and ES; 32-bit code needs usable ones.
  __asm__ volatile("movl %0, %%ds\n\tmovl %0, %%es" : : "r"((uint32_t)USER_DS));
  struct itimerval timer = { { 0, TICK_MICROSECONDS }, { 0, TICK_MICROSECONDS } };
  setitimer(ITIMER_REAL, &timer, NULL);
}

bool execute_has_avx(void) {
  return avx_offset != 0;
}

struct selectors execute_selectors(int mode) {
  return (struct selectors){ mode == 64 ? USER_CS_64 : USER_CS_32, USER_DS, USER_DS, USER_DS, 0, 0 };
}

static void classify(struct vector *v, uint64_t start, bool step) {
  struct outcome *o = &v->outcome;
  const uint64_t rip = v->out.rip;
  *o = (struct outcome){ .what = (uint8_t)captured.trap, .error_code = (uint32_t)captured.error };
  enum { PF_PRESENT = 1, PF_FETCH = 16 };
  if (captured.hang) {
    o->what = OUTCOME_HANG;
    return;
  }
  switch (captured.trap) {
    case 1: // #DB after a step
      if (step) o->what = OUTCOME_COMPLETED;
      break;
    case 3: // a breakpoint of the filler, not of the code under test
      if (rip - 1 >= CODE_PAGE && rip - 1 < start) {
        o->what = OUTCOME_COMPLETED;
        v->out.rip = rip - 1;
      }
      break;
    case 14:
      // Linux reports faults on kernel addresses as protection violations; no page is present there for the guest.
      if (captured.cr2 >> 63) o->error_code &= ~(uint32_t)PF_PRESENT;
      o->cr2 = captured.cr2;
      if (!(captured.error & PF_FETCH)) break;
      if (rip == start) o->what = OUTCOME_FETCH;
      else if (captured.cr2 == rip) o->what = OUTCOME_COMPLETED;
      break;
  }
  if (o->what != 14) o->cr2 = 0;
  if (o->what >= OUTCOME_HANG) o->error_code = 0;
}

bool execute(struct vector *v, bool step) {
  const uint64_t start = CODE_END - v->code_length;
  memory_prepare(v, start);
  v->in.rip = start;
  struct cpu_state in = v->in;
  if (step) in.flags |= FLAG_TF;
  fill_mould(&in, v->mode);
  captured_state = &v->out;
  captured.hang = false;
  ticks = 0;
  in_guest = 1;
  enter_guest(mould);
  v->out.flags &= ~(uint32_t)(FLAG_RF | FLAG_TF); // faults and single steps leave them in the saved image
  classify(v, start, step);
  return memory_collect_diffs(v);
}
