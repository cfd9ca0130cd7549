// SPDX-License-Identifier: Apache-2.0
// Runs single x87 and MMX-state instructions of this processor from random x87 states and writes what they did.
// Record of 576 bytes: u8 length, u8 code[7], u32 trapped, u32 EFLAGS & 0x8d5 after, u8 image before[160],
// u8 image after[160] (both as FXSAVE64), u8 memory before[112], u8 memory after[112], u8 padding[16].
// The memory operand is [rdi]. usage: x87 SEED COUNT [INDEX of the only instruction to run]
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "operands.h"

typedef struct {
  uint8_t length, code[7];
  uint32_t trapped, eflags;
  uint8_t before[160], after[160], memory_before[112], memory_after[112], padding[16];
} Record;

static uint8_t image[512] __attribute__((aligned(16))), clean[512] __attribute__((aligned(16)));
static uint8_t result[512] __attribute__((aligned(16)));
static uint8_t memory[112] __attribute__((aligned(16)));
static uint8_t *code_page;
static volatile int trapped;

static void on_fpe(int number, siginfo_t *info, void *context) {
  (void)number; (void)info;
  mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
  trapped = 1;
  memcpy(result, m->fpregs, 512);
  m->gregs[REG_RIP] = (greg_t)(code_page + 256);  // the epilogue
  memcpy(m->fpregs, clean, 160);
}

/* Instructions by first byte and ModRM; r/m of memory forms is [rdi]. */
static uint8_t codes[1024][2];
static int code_count;

static void add(int first, int modrm) { codes[code_count][0] = first; codes[code_count++][1] = modrm; }

static int is_transcendental(int first, int modrm) {
  return first == 0xd9 && (modrm == 0xf0 || modrm == 0xf1 || modrm == 0xf2 || modrm == 0xf3 || modrm == 0xf9 || modrm == 0xfb || modrm == 0xfe || modrm == 0xff);
}

static void list_codes(int transcendental) {
  for (int first = 0xd8; first <= 0xdf; first++) {
    for (int reg = 0; reg < 8; reg++) {
      int undefined = (first == 0xd9 && reg == 1) || (first == 0xdb && (reg == 4 || reg == 6)) || (first == 0xdd && reg == 5);
      if (!undefined && !transcendental) add(first, reg << 3 | 7);
    }
    for (int modrm = 0xc0; modrm < 0x100; modrm++) {
      int reg = modrm >> 3 & 7;
      int undefined = (first == 0xd9 && ((modrm > 0xd0 && modrm < 0xe0 && reg == 2) || modrm == 0xe2 || modrm == 0xe3 || modrm == 0xe6 || modrm == 0xe7 || modrm == 0xef))
        || (first == 0xda && reg >= 4 && modrm != 0xe9) || (first == 0xdb && ((reg == 4 && modrm != 0xe2 && modrm != 0xe3) || reg == 7))
        || (first == 0xdd && reg >= 6) || (first == 0xde && reg == 3 && modrm != 0xd9) || (first == 0xdf && (reg == 7 || (reg == 4)));
      if (!undefined && is_transcendental(first, modrm) == transcendental) add(first, modrm);
    }
  }
  if (!transcendental) {
    add(0x9b, 0);     /* FWAIT */
    add(0x0f, 0x77);  /* EMMS */
  }
}

static void put80(uint8_t *at) {
  uint64_t sig = 1ull << 63 | random_fraction(63);
  int e;
  switch (pick(16)) {
    case 0: e = 0; if (pick(4)) sig &= ~(1ull << 63); if (pick(3) == 0) sig = 0; break;
    case 1: e = 0x7fff; if (pick(2)) sig = 1ull << 63; break;
    case 2: e = 1 + pick(3); break;
    case 3: e = 0x7ffe - pick(3); break;
    case 4: e = pick(70); break;
    case 5: e = 0x2000 - 2 + pick(5); break;
    case 6: e = 0x6000 - 2 + pick(5); break;
    case 7: e = rnd() & 0x7fff; break;
    case 8: e = 0x3fff + pick(70); break;
    case 9: e = 0x3fff + pick(20); break;
    case 10: e = 0x3fff - 1100 + pick(2200); break;
    case 11: e = pick(2) ? 0x3fff - 126 - pick(30) : 0x3fff - 1022 - pick(60); break;
    case 12: e = pick(2) ? 0x3fff + 126 + pick(3) : 0x3fff + 1022 + pick(3); break;
    default: e = 0x3fff + (int)pick(9) - 4;
  }
  if (pick(24) == 0) sig &= ~(1ull << 63);
  uint16_t se = e | (pick(2) << 15);
  memcpy(at, &sig, 8);
  memcpy(at + 8, &se, 2);
}

/* Operands of the transcendental functions: mostly in the range where they are defined. */
static void put80_moderate(uint8_t *at) {
  if (pick(8) == 0) { put80(at); return; }
  uint64_t sig = 1ull << 63 | random_fraction(63);
  int e = pick(3) ? 0x3fff - 3 + pick(6) : pick(2) ? 0x3fff - pick(80) : 0x3fff + pick(66);
  uint16_t se = e | (pick(2) << 15);
  memcpy(at, &sig, 8);
  memcpy(at + 8, &se, 2);
}

static void make_state(int transcendental) {
  memcpy(image, clean, 512);
  uint16_t fcw = 0x007f | pick(4) << 8 | pick(4) << 10, fsw = pick(8) << 11;
  if (pick(4)) fcw |= 0x300;
  if (pick(4) == 0) fcw &= ~(rnd() & 63);
  if (pick(8) == 0) fcw = rnd();
  if (pick(2)) fsw |= rnd() & 0x4700;
  if (pick(8) == 0) fsw |= rnd() & 0x7f;
  if (pick(4)) fcw |= fsw & 0x3f;  /* else perhaps a pending exception */
  uint8_t tags = pick(4) ? 0xff : rnd();
  if (pick(2)) tags &= ~(1 << (((fsw >> 11) - 1) & 7));  /* room for a push */
  memcpy(image, &fcw, 2);
  memcpy(image + 2, &fsw, 2);
  image[4] = tags;
  for (int i = 0; i < 8; i++) {
    if (transcendental) put80_moderate(image + 32 + 16 * i);
    else put80(image + 32 + 16 * i);
  }
  for (int i = 1; i < 8; i++) {  /* relations between ST(0) and ST(i) */
    uint8_t *a = image + 32, *b = image + 32 + 16 * i;
    switch (pick(8)) {
      case 0: memcpy(b, a, 10); break;
      case 1: memcpy(b, a, 10); b[9] ^= 0x80; break;
      case 2: memcpy(b, a, 10); b[9] ^= pick(2) << 7; b[0] += pick(5) - 2; break;
      case 3: memcpy(b + 8, a + 8, 2); break;
      case 4: { uint16_t e; memcpy(&e, a + 8, 2); e += pick(131) - 65; memcpy(b + 8, &e, 2); break; }
      case 5: memcpy(b, a, 8); break;
    }
  }
}

static void make_memory(int first, int reg) {
  for (int i = 0; i < 112; i += 8) { uint64_t r = rnd(); memcpy(memory + i, &r, 8); }
  uint64_t v = rnd();
  if (first == 0xd8 || first == 0xd9) v = random_format(23, 8);
  else if (first == 0xdc || first == 0xdd) v = random_format(52, 11);
  else v = pick(2) ? rnd() >> pick(64) : -(rnd() >> pick(64));
  memcpy(memory, &v, 8);
  if (first == 0xdb && reg == 5) put80(memory);
  if (first == 0xdf && reg == 4 && pick(4)) for (int i = 0; i < 9; i++) memory[i] = pick(10) << 4 | pick(10);
  /* FLDENV, FRSTOR: the words of an environment have to be plausible */
  if ((first == 0xd9 || first == 0xdd) && reg == 4) {
    for (int i = 0; i < 28; i++) memory[i] = rnd();
    for (int i = 0; first == 0xdd && i < 8; i++) put80(memory + 28 + 10 * i);
    if (pick(2)) { memory[0] |= 0x3f; }
  }
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  rng_state = strtoull(argv[1], 0, 0);
  unsigned long count = strtoul(argv[2], 0, 0);
  int transcendental = argc > 3 && !strcmp(argv[3], "transcendental");
  list_codes(transcendental);
  code_page = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  stack_t alternative = {.ss_sp = malloc(65536), .ss_size = 65536};
  sigaltstack(&alternative, 0);
  struct sigaction action = {.sa_sigaction = on_fpe, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
  sigaction(SIGFPE, &action, 0);
  asm volatile("fxsave64 %0" : "=m"(clean));
  /* void page(image rsi, memory rdi, result rdx): fxrstor64 [rsi]; instruction; fxsave64 [rdx]; pushfq; pop rax; ret */
  static const uint8_t load[] = {0x48, 0x0f, 0xae, 0x0e, 0x6a, 0x02, 0x9d}, save[] = {0x48, 0x0f, 0xae, 0x02, 0x9c, 0x58, 0xc3};
  memcpy(code_page + 256, save + 4, 3);
  for (unsigned long i = 0; i < count; i++) {
    Record r;
    memset(&r, 0, sizeof r);
    uint8_t *code = codes[i % code_count];
    int reg = code[1] >> 3 & 7, is_memory = code[1] < 0xc0 && code[0] != 0x9b && code[0] != 0x0f;
    r.length = code[0] == 0x9b ? 1 : 2;
    memcpy(r.code, code, r.length);
    if (is_memory && (code[0] == 0xd9 || code[0] == 0xdd) && (reg == 4 || reg == 6) && pick(3) == 0) {  /* 16-bit forms */
      if (!(code[0] == 0xd9 && reg == 4 && 0)) { r.code[0] = 0x66; memcpy(r.code + 1, code, 2); r.length = 3; }
    }
    make_state(transcendental);
    make_memory(code[0], reg);
    memcpy(r.before, image, 160);
    memcpy(r.memory_before, memory, 112);
    memset(result, 0, 512);
    memcpy(code_page, load, sizeof load);
    memcpy(code_page + sizeof load, r.code, r.length);
    memcpy(code_page + sizeof load + r.length, save, sizeof save);
    trapped = 0;
    uint64_t flags;
    asm volatile("fninit\ncall *%3\nfninit" : "=a"(flags) : "S"(image), "D"(memory), "r"((void *)code_page), "d"(result)
                 : "memory", "cc", "rcx", "r8", "r9", "r10", "r11");
    r.trapped = trapped;
    r.eflags = trapped ? 0 : flags & 0x8d5;
    memcpy(r.after, result, 160);
    memcpy(r.memory_after, memory, 112);
    if (fwrite(&r, sizeof r, 1, stdout) != 1) return 1;
  }
  return 0;
}
