/* SPDX-License-Identifier: Apache-2.0 */
/* What kernels share: ports, text on the first serial port, checks, and pictures that somebody outside looks at. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

static inline void out8(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline void out16(u16 port, u16 value) { __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port)); }
static inline void out32(u16 port, u32 value) { __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port)); }
static inline u8 in8(u16 port) {
  u8 value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
static inline u16 in16(u16 port) {
  u16 value;
  __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

/* A byte or word of physical memory, read and written exactly as often as it says. */
#define MEMORY8(address) (*(volatile u8 *)(address))
#define MEMORY16(address) (*(volatile u16 *)(address))
#define MEMORY32(address) (*(volatile u32 *)(address))

enum { SERIAL = 0x3f8, EXIT = 0xf4, PASSED = 0x10, FAILED = 0x11 };

static int failures;

static void say(const char *text) {
  for (; *text != 0; text++) {
    while ((in8(SERIAL + 5) & 0x20) == 0) {
    }
    out8(SERIAL, (u8)*text);
  }
}

static void say_hex(u32 value, int digits) {
  char text[2] = {0, 0};
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    text[0] = "0123456789abcdef"[(value >> shift) & 15];
    say(text);
  }
}

/* A line that must be the same on every machine. */
static void report(const char *what, u32 value, int digits) {
  say(what);
  say(" ");
  say_hex(value, digits);
  say("\n");
}

static void expect(int holds, const char *what) {
  if (holds) return;
  failures++;
  say("failed: ");
  say(what);
  say("\n");
}

/* Shows the screen under a name, and waits until it was looked at: for a byte on the serial port. */
__attribute__((unused)) static void picture(const char *name) {
  say("picture ");
  say(name);
  say("\n");
  while ((in8(SERIAL + 5) & 1) == 0) {
  }
  in8(SERIAL);
}

__attribute__((unused)) static void config(u32 slot, u32 reg, u32 value) {
  out32(0xcf8, 0x80000000u | slot << 11 | reg);
  out32(0xcfc, value);
}

void run(void);

void kernel(void) {
  out8(SERIAL + 3, 3);
  run();
  say(failures == 0 ? "OK\n" : "FAILED\n");
  while ((in8(SERIAL + 5) & 0x40) == 0) {
  }
  out8(EXIT, failures == 0 ? PASSED : FAILED);
}
