/* SPDX-License-Identifier: Apache-2.0 */
/* A VGA by its registers alone: text, planes with latches and all write modes, chain 4, mode X, and the frame buffer of
   the Bochs display interface. IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem". */
#include "rom.h"

enum { ATTRIBUTE = 0x3c0, MISC = 0x3c2, SEQUENCER = 0x3c4, DAC = 0x3c8, GRAPHICS = 0x3ce, CRTC = 0x3d4, STATUS = 0x3da };
enum { DISPI = 0x1ce, FRAME = 0xe0000000u };
#define WINDOW 0xa0000
#define TEXT 0xb8000

struct mode {
  u8 misc, sequencer[5], crtc[25], graphics[9], control[5], straight;
};

static const struct mode TEXT_MODE = {
    0x67, {3, 0, 3, 0, 2},
    {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0, 0x4f, 0x2d, 0x0e, 0, 0, 0, 0, 0x9c, 0x0e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff},
    {0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff}, {4, 0, 15, 8, 0}, 0};
static const struct mode PLANES = {
    0xe3, {3, 1, 15, 0, 6},
    {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0, 0x40, 0, 0, 0, 0, 0, 0, 0xea, 0x0c, 0xdf, 0x28, 0, 0xe7, 4, 0xe3, 0xff},
    {0, 0, 0, 0, 0, 0, 5, 15, 0xff}, {1, 0, 15, 0, 0}, 0};
static const struct mode CHAINED = {
    0x63, {3, 1, 15, 0, 0x0e},
    {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0, 0x41, 0, 0, 0, 0, 0, 0, 0x9c, 0x0e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff},
    {0, 0, 0, 0, 0, 0x40, 5, 15, 0xff}, {0x41, 0, 15, 0, 0}, 1};
static const struct mode MODE_X = {
    0xe3, {3, 1, 15, 0, 6},
    {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0d, 0x3e, 0, 0x41, 0, 0, 0, 0, 0, 0, 0xea, 0xac, 0xdf, 0x28, 0, 0xe7, 6, 0xe3, 0xff},
    {0, 0, 0, 0, 0, 0x40, 5, 15, 0xff}, {0x41, 0, 15, 0, 0}, 1};

static void set(u16 port, u8 index, u8 value) { out16(port, (u16)(value << 8 | index)); }

static u8 get(u16 port, u8 index) {
  out8(port, index);
  return in8(port + 1);
}

static void attribute(u8 index, u8 value) {
  in8(STATUS);
  out8(ATTRIBUTE, index);
  out8(ATTRIBUTE, value);
  out8(ATTRIBUTE, 0x20);
}

static void set_mode(const struct mode *mode) {
  out8(MISC, mode->misc);
  set(SEQUENCER, 0, 1);
  for (int i = 1; i < 5; i++) set(SEQUENCER, i, mode->sequencer[i]);
  set(SEQUENCER, 0, 3);
  set(CRTC, 0x11, mode->crtc[0x11] & 0x7f);
  for (int i = 0; i < 25; i++) set(CRTC, i, mode->crtc[i]);
  for (int i = 0; i < 9; i++) set(GRAPHICS, i, mode->graphics[i]);
  for (int i = 0; i < 16; i++) attribute(i, mode->straight ? i : i < 8 ? (i == 6 ? 0x14 : i) : 0x30 + i);
  for (int i = 0; i < 5; i++) attribute(0x10 + i, mode->control[i]);
  out8(0x3c6, 0xff);
  out8(DAC, 0);
  for (int i = 0; i < 256; i++) {
    out8(DAC + 1, (i * 5 + (i >> 4)) & 63);
    out8(DAC + 1, (i * 3) & 63);
    out8(DAC + 1, (63 - i + (i >> 3)) & 63);
  }
}

static void fill(u32 from, u32 length, u8 value) {
  for (u32 i = 0; i < length; i++) MEMORY8(from + i) = value;
}

static void text_mode(void) {
  set_mode(&TEXT_MODE);
  /* The font goes to plane 2. */
  set(SEQUENCER, 2, 4);
  set(SEQUENCER, 4, 6);
  set(GRAPHICS, 5, 0);
  set(GRAPHICS, 6, 4);
  for (int c = 0; c < 256; c++)
    for (int y = 0; y < 32; y++) MEMORY8(WINDOW + 32 * c + y) = y < 16 ? (u8)(c * 7 + y * 29 + (c & y)) : 0x5a;
  set(SEQUENCER, 2, 3);
  set(SEQUENCER, 4, 2);
  set(GRAPHICS, 5, 0x10);
  set(GRAPHICS, 6, 0x0e);
  for (int i = 0; i < 80 * 50; i++) {
    u8 c = (u8)(i * 3 + (i >> 7));
    /* Emulators do not agree whether these are joined to their right neighbours. */
    if (c >= 0xb0 && c < 0xc0) c ^= 0x80;
    MEMORY16(TEXT + 2 * i) = (u16)((u8)(i + (i >> 8)) << 8 | c);
  }
  picture("text");
  /* Another start, eight dots, a split screen. */
  set(CRTC, 0x0d, 80 * 3 + 5);
  set(SEQUENCER, 1, 1);
  picture("text-scrolled");
}

static void planes(void) {
  set_mode(&PLANES);
  fill(WINDOW, 0x10000, 0);
  /* Sixteen bars by set/reset: the data do not matter. */
  set(GRAPHICS, 1, 15);
  for (int y = 0; y < 160; y++)
    for (int x = 0; x < 80; x++) {
      set(GRAPHICS, 0, x / 5);
      MEMORY8(WINDOW + 80 * y + x) = 0x12;
    }
  set(GRAPHICS, 1, 0);
  /* Each function of the ALU with a rotated byte, some bits only. */
  for (int function = 0; function < 4; function++) {
    set(GRAPHICS, 3, function << 3 | (function + 1));
    set(GRAPHICS, 8, 0x7e);
    for (int y = 40 * function; y < 40 * function + 30; y++)
      for (int x = 10; x < 60; x++) {
        u8 latched = MEMORY8(WINDOW + 80 * y + x);
        set(SEQUENCER, 2, 1 + x % 15);
        MEMORY8(WINDOW + 80 * y + x) = (u8)(0x35 + y + (latched & 0));
      }
  }
  set(GRAPHICS, 3, 0);
  set(GRAPHICS, 8, 0xff);
  set(SEQUENCER, 2, 15);
  /* Write mode 1 copies all planes through the latches. */
  set(GRAPHICS, 5, 1);
  for (int i = 0; i < 80 * 100; i++) {
    u8 latched = MEMORY8(WINDOW + i);
    MEMORY8(WINDOW + 80 * 170 + i) = latched;
  }
  /* Write mode 2: the data are a colour, the bit mask says where. */
  set(GRAPHICS, 5, 2);
  for (int y = 280; y < 360; y++)
    for (int x = 0; x < 80; x++) {
      set(GRAPHICS, 8, (u8)(0xff >> (y & 7)));
      (void)MEMORY8(WINDOW + 80 * y + x);
      MEMORY8(WINDOW + 80 * y + x) = (u8)(x + y);
    }
  /* Write mode 3: the rotated data are a mask, set/reset is the colour. */
  set(GRAPHICS, 8, 0xf7);
  set(GRAPHICS, 5, 3);
  set(GRAPHICS, 3, 3);
  for (int y = 340; y < 440; y++)
    for (int x = 20; x < 70; x++) {
      set(GRAPHICS, 0, y / 7);
      (void)MEMORY8(WINDOW + 80 * y + x);
      MEMORY8(WINDOW + 80 * y + x) = (u8)(x * y);
    }
  set(GRAPHICS, 3, 0);
  set(GRAPHICS, 8, 0xff);
  /* Read mode 1 compares with a colour; planes that do not care match. */
  set(GRAPHICS, 5, 8);
  u32 sum = 0;
  for (int colour = 0; colour < 16; colour++)
    for (int care = 0; care < 16; care += 5) {
      set(GRAPHICS, 2, colour);
      set(GRAPHICS, 7, care);
      for (int i = 0; i < 80 * 480; i += 37) sum = sum * 31 + MEMORY8(WINDOW + i);
    }
  report("colour compare", sum, 8);
  set(GRAPHICS, 5, 0);
  sum = 0;
  for (int plane = 0; plane < 4; plane++) {
    set(GRAPHICS, 4, plane);
    for (int i = 0; i < 80 * 480; i += 11) sum = sum * 31 + MEMORY8(WINDOW + i);
  }
  report("planes", sum, 8);
  picture("planes");
  attribute(0x12, 5);
  attribute(3, 0x2a);
  attribute(0x14, 4);
  picture("two-planes");
  attribute(0x14, 0);
  attribute(0x12, 15);
  set(CRTC, 0x18, 0xf0);
  set(CRTC, 7, 0x2e);
  set(CRTC, 9, 0x00);
  set(CRTC, 0x0d, 80);
  set(CRTC, 0x0c, 2);
  picture("split");
}

static void chained(void) {
  set_mode(&CHAINED);
  for (int y = 0; y < 200; y++)
    for (int x = 0; x < 320; x++) MEMORY8(WINDOW + 320 * y + x) = (u8)(x + y * 3 + (x * y >> 6));
  report("chained", MEMORY32(WINDOW + 320 * 100 + 40), 8);
  picture("mode-13h");
  set(SEQUENCER, 2, 5);
  fill(WINDOW + 320 * 50, 320 * 50, 0x99);
  picture("mode-13h-planes");
  out8(0x3c6, 0x3f);
  picture("dac-mask");
}

static void mode_x(void) {
  set_mode(&MODE_X);
  for (int plane = 0; plane < 4; plane++) {
    set(SEQUENCER, 2, 1 << plane);
    for (int y = 0; y < 400; y++)
      for (int x = 0; x < 80; x++) MEMORY8(WINDOW + 80 * y + x) = (u8)((4 * x + plane) ^ y);
  }
  set(SEQUENCER, 2, 15);
  picture("mode-x");
  /* The second page, with a piece of the first that the latches carry four pixels at a time. */
  set(GRAPHICS, 5, 0x41);
  for (int y = 0; y < 100; y++)
    for (int x = 0; x < 40; x++) {
      u8 latched = MEMORY8(WINDOW + 80 * y + x);
      MEMORY8(WINDOW + 80 * (200 + y) + 20 + x) = latched;
    }
  set(CRTC, 0x0c, (80 * 160) >> 8);
  set(CRTC, 0x0d, (80 * 160) & 255);
  picture("mode-x-page");
}

static void dispi(u16 index, u16 value) {
  out16(DISPI, index);
  out16(DISPI + 1, value);
}

static void frame_buffer(int width, int height, int depth, const char *name) {
  dispi(4, 0);
  dispi(1, (u16)width);
  dispi(2, (u16)height);
  dispi(3, (u16)depth);
  dispi(4, 0x41);
  dispi(6, (u16)(width + 64));
  dispi(8, 16);
  dispi(9, 8);
  out16(DISPI, 6);
  u32 pitch = (u32)in16(DISPI + 1) * ((u32)(depth + 7) / 8);
  report("pitch", pitch, 8);
  u32 bytes = (u32)(depth + 7) / 8;
  for (u32 y = 0; y < (u32)height + 16; y++)
    for (u32 i = 0; i < pitch; i++) {
      u32 x = i / bytes;
      MEMORY8(FRAME + y * pitch + i) = (u8)(x * (1 + i % bytes) + y * (3 - i % bytes) + (x * y >> 5));
    }
  picture(name);
}

static void frame_buffers(void) {
  config(2, 0x10, FRAME);
  config(2, 0x04, 7);
  out16(DISPI, 0);
  expect(in16(DISPI + 1) >= 0xb0c0, "the display interface");
  frame_buffer(320, 200, 8, "frame-8");
  frame_buffer(320, 240, 15, "frame-15");
  frame_buffer(320, 240, 16, "frame-16");
  frame_buffer(320, 240, 24, "frame-24");
  frame_buffer(640, 480, 32, "frame-32");
  dispi(4, 0);
}

void run(void) {
  text_mode();
  planes();
  chained();
  mode_x();
  frame_buffers();
  set_mode(&TEXT_MODE);
  expect(get(CRTC, 0x13) == 0x28, "a CRTC register read back");
}
