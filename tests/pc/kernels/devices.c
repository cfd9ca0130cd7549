/* SPDX-License-Identifier: Apache-2.0 */
/* The floppy controller with its DMA channel, the 8254 with the loudspeaker's gate, the real-time clock, and address
   line 20. No interrupts are taken: requests are looked for in the 8259. */
#include "rom.h"

enum { PIC = 0x20, PIC2 = 0xa0, PIT = 0x40, PORT61 = 0x61, CMOS = 0x70, KEYBOARD = 0x60, KEYBOARD_COMMAND = 0x64, PORT92 = 0x92 };
enum { FDC_OUTPUT = 0x3f2, FDC_STATUS = 0x3f4, FDC_DATA = 0x3f5, FDC_RATE = 0x3f7 };
enum { SECTOR = 512, TRACK = 18 };
#define BUFFER 0x30000

/* Interrupts that are requested. */
static u8 requests(u16 pic) {
  out8(pic, 0x0a);
  return in8(pic);
}

static void set_up_pic(u16 pic, u8 vector, u8 cascade) {
  out8(pic, 0x11);
  out8(pic + 1, vector);
  out8(pic + 1, cascade);
  out8(pic + 1, 1);
  out8(pic + 1, 0xff);
}

/* Ends the request that stands, as the processor would: a poll command acknowledges it. */
static void acknowledge(u16 pic, u8 mask) {
  out8(pic + 1, mask);
  out8(pic, 0x0c);
  in8(pic);
  out8(pic, 0x20);
  out8(pic + 1, 0xff);
}

static void wait_request(u16 pic, u8 bit, const char *what) {
  for (u32 i = 0; i < 20000000; i++)
    if ((requests(pic) & bit) != 0) return;
  expect(0, what);
}

/* ---- floppy */

static void fdc_write(u8 value) {
  for (u32 i = 0; i < 1000000; i++)
    if ((in8(FDC_STATUS) & 0xc0) == 0x80) {
      out8(FDC_DATA, value);
      return;
    }
  expect(0, "the floppy controller takes a byte");
}

static u8 fdc_read(void) {
  for (u32 i = 0; i < 1000000; i++)
    if ((in8(FDC_STATUS) & 0xc0) == 0xc0) return in8(FDC_DATA);
  expect(0, "the floppy controller gives a byte");
  return 0xff;
}

static void fdc_interrupt(const char *what) {
  wait_request(PIC, 0x40, what);
}

static void results(const char *what, int count) {
  say(what);
  for (int i = 0; i < count; i++) {
    u8 value = fdc_read();
    /* QEMU tells of the end of a seek after reads, which have sought nothing (82077AA, status register 0). */
    if (i == 0 && count == 7) value &= 0xdf;
    say(" ");
    say_hex(value, 2);
  }
  acknowledge(PIC, 0xbf);
  say("\n");
}

static void sense(const char *what) {
  fdc_write(8);
  results(what, 2);
}

/* Mode byte for channel 2: 46h from the disk to memory, 4ah the other way, 42h nothing at all. */
static void dma(u8 mode, u32 address, u32 length) {
  out8(0x0a, 6);
  out8(0x0c, 0);
  out8(0x04, address & 255);
  out8(0x04, (address >> 8) & 255);
  out8(0x81, (address >> 16) & 255);
  out8(0x05, (length - 1) & 255);
  out8(0x05, ((length - 1) >> 8) & 255);
  out8(0x0b, mode);
  out8(0x0a, 2);
}

static void transfer(const char *what, u8 command, u8 cylinder, u8 head, u8 sector, u8 last) {
  fdc_write(command);
  fdc_write((u8)(head << 2));
  fdc_write(cylinder);
  fdc_write(head);
  fdc_write(sector);
  fdc_write(2);
  fdc_write(last);
  fdc_write(0x1b);
  fdc_write(0xff);
  fdc_interrupt(what);
  results(what, 7);
}

static u32 sum(u32 address, u32 length) {
  u32 total = 0;
  for (u32 i = 0; i < length; i++) total = total * 31 + MEMORY8(address + i);
  return total;
}

static void dma_left(void) {
  out8(0x0c, 0);
  u32 address = in8(4);
  address |= (u32)in8(4) << 8;
  u32 count = in8(5);
  count |= (u32)in8(5) << 8;
  report("dma address", address, 4);
  report("dma count", count, 4);
  report("dma end", in8(8) & 0x04, 2);
}

static void seek(u8 head, u8 cylinder) {
  fdc_write(15);
  fdc_write((u8)(head << 2));
  fdc_write(cylinder);
  fdc_interrupt("seek");
  sense("seek");
}

static void floppy(void) {
  out8(FDC_OUTPUT, 0);
  out8(FDC_OUTPUT, 0x1c);
  fdc_interrupt("the reset of the floppy controller");
  sense("reset 0");
  sense("reset 1");
  sense("reset 2");
  sense("reset 3");
  out8(FDC_RATE, 0);
  fdc_write(3);
  fdc_write(0xdf);
  fdc_write(2);
  fdc_write(7);
  fdc_write(0);
  fdc_interrupt("recalibrate");
  sense("recalibrate");

  seek(0, 3);
  dma(0x46, BUFFER, SECTOR);
  transfer("read", 0xe6, 3, 0, 5, TRACK);
  report("data", sum(BUFFER, SECTOR), 8);
  dma_left();
  /* From one head to the other. */
  dma(0x46, BUFFER, 8 * SECTOR);
  transfer("read both heads", 0xe6, 3, 0, 15, TRACK);
  report("data", sum(BUFFER, 8 * SECTOR), 8);
  dma_left();

  /* The last sector of a side, alone. */
  dma(0x46, BUFFER, SECTOR);
  transfer("read one head", 0x46, 3, 0, TRACK, TRACK);
  report("data", sum(BUFFER, SECTOR), 8);

  for (u32 i = 0; i < 4 * SECTOR; i++) MEMORY8(BUFFER + i) = (u8)(i * 11 + (i >> 8));
  seek(1, 40);
  dma(0x4a, BUFFER, 4 * SECTOR);
  transfer("write", 0xc5, 40, 1, 7, TRACK);
  dma_left();
  for (u32 i = 0; i < 4 * SECTOR; i++) MEMORY8(BUFFER + i) = 0;
  dma(0x46, BUFFER, 4 * SECTOR);
  transfer("read back", 0xe6, 40, 1, 7, TRACK);
  report("data", sum(BUFFER, 4 * SECTOR), 8);

  /* A track is formatted with a filling of its own. */
  seek(0, 79);
  for (u32 i = 0; i < TRACK; i++) {
    MEMORY8(BUFFER + 4 * i) = 79;
    MEMORY8(BUFFER + 4 * i + 1) = 0;
    MEMORY8(BUFFER + 4 * i + 2) = (u8)(i + 1);
    MEMORY8(BUFFER + 4 * i + 3) = 2;
  }
  dma(0x4a, BUFFER, 4 * TRACK);
  fdc_write(0x4d);
  fdc_write(0);
  fdc_write(2);
  fdc_write(TRACK);
  fdc_write(0x54);
  fdc_write(0xe5);
  fdc_interrupt("format");
  for (int i = 0; i < 7; i++) {
    u8 value = fdc_read();
    if (i < 1) expect((value & 0xc0) == 0, "the track is formatted");
  }
  acknowledge(PIC, 0xbf);
  dma(0x46, BUFFER, SECTOR);
  transfer("read formatted", 0xe6, 79, 0, 9, TRACK);
  expect(MEMORY8(BUFFER) == 0xe5 && MEMORY8(BUFFER + 511) == 0xe5, "the filling of a formatted track");
  /* A sector that there is not. */
  dma(0x46, BUFFER, SECTOR);
  fdc_write(0xe6);
  fdc_write(0);
  fdc_write(79);
  fdc_write(0);
  fdc_write(25);
  fdc_write(2);
  fdc_write(30);
  fdc_write(0x1b);
  fdc_write(0xff);
  fdc_interrupt("a sector that is not there");
  expect((fdc_read() & 0xc0) == 0x40, "a sector that is not there is an error");
  for (int i = 0; i < 6; i++) fdc_read();
  acknowledge(PIC, 0xbf);
  fdc_write(16);
  report("version", fdc_read(), 2);
  fdc_write(0x1f);
  report("unknown command", fdc_read(), 2);
}

/* ---- 8254 */

static u16 count(int channel) {
  out8(PIT + 3, (u8)(channel << 6));
  u16 low = in8(PIT + channel);
  return (u16)(in8(PIT + channel) << 8 | low);
}

static u8 pit_status(int channel) {
  out8(PIT + 3, (u8)(0xe0 | 2 << channel));
  return in8(PIT + channel);
}

static void load(int channel, u8 mode, u16 value) {
  out8(PIT + 3, (u8)(channel << 6 | 0x30 | mode << 1));
  out8(PIT + channel, (u8)value);
  out8(PIT + channel, (u8)(value >> 8));
}

/* Waits for a level of OUT of channel 2. */
static int output_becomes(u8 level) {
  for (u32 i = 0; i < 10000000; i++)
    if ((in8(PORT61) & 0x20) == level) return 1;
  return 0;
}

static void timer(void) {
  out8(PORT61, 1);
  load(2, 0, 20000);
  expect((in8(PORT61) & 0x20) == 0, "mode 0 begins low");
  u16 first = count(2);
  u16 second = count(2);
  expect(second <= first && first <= 20000, "a counter counts down");
  expect(output_becomes(0x20), "mode 0 ends high");
  report("status of mode 0", pit_status(2) & 0xbf, 2);
  /* The gate stops mode 0 and starts mode 1. */
  load(2, 0, 30000);
  out8(PORT61, 0);
  first = count(2);
  for (int i = 0; i < 1000; i++) in8(0x80);
  expect(count(2) == first, "the gate holds the counter");
  load(2, 1, 10000);
  expect((in8(PORT61) & 0x20) != 0, "mode 1 waits high");
  out8(PORT61, 1);
  expect(output_becomes(0), "mode 1 goes low by the gate");
  expect(output_becomes(0x20), "mode 1 comes back");
  /* A square wave through the loudspeaker's gate. */
  load(2, 3, 2000);
  out8(PORT61, 3);
  int edges = 0;
  for (int i = 0; i < 10; i++) edges += output_becomes(0) && output_becomes(0x20);
  expect(edges == 10, "mode 3 is a wave");
  expect((count(2) & 1) == 0, "mode 3 counts by two");
  out8(PORT61, 0);
  /* Latches: count and status together, status first. */
  load(2, 2, 0x1234);
  out8(PIT + 3, 0xc0 | 2 << 2);
  report("latched status", in8(PIT + 2) & 0x3f, 2);
  report("latched count", in8(PIT + 2) | in8(PIT + 2) << 8, 4);
  /* Decimal counting. */
  out8(PIT + 3, 0xb1);
  out8(PIT + 2, 0x99);
  out8(PIT + 2, 0x99);
  out8(PORT61, 1);
  int decimal = 1;
  for (int i = 0; i < 100; i++) {
    u16 value = count(2);
    decimal &= (value & 15) < 10 && (value >> 4 & 15) < 10 && (value >> 8 & 15) < 10;
  }
  expect(decimal, "a decimal counter has decimal digits");
  out8(PORT61, 0);
  /* Channel 0 interrupts. */
  load(0, 0, 3000);
  wait_request(PIC, 1, "the timer's interrupt");
  load(0, 2, 3000);
  acknowledge(PIC, 0xfe);
  wait_request(PIC, 1, "the rate generator's interrupt");
  acknowledge(PIC, 0xfe);
  load(0, 0, 0);
}

/* ---- real-time clock */

static u8 cmos(u8 index) {
  out8(CMOS, index);
  return in8(CMOS + 1);
}

static void set_cmos(u8 index, u8 value) {
  out8(CMOS, index);
  out8(CMOS + 1, value);
}

/* Sets time and date with the clock stopped: 12/24 hours and decimal or binary as in `format`. */
static void set_clock(u8 format, const u8 *values) {
  static const u8 REGISTERS[] = {0, 2, 4, 7, 8, 9, 0x32};
  set_cmos(11, format | 0x80);
  for (int i = 0; i < 7; i++) set_cmos(REGISTERS[i], values[i]);
  set_cmos(11, format);
}

/* Century to minute: how many seconds have passed depends on the host. */
static void report_clock(const char *what) {
  static const u8 REGISTERS[] = {0x32, 9, 8, 7, 4, 2};
  while ((cmos(10) & 0x80) != 0) {
  }
  say(what);
  for (int i = 0; i < 6; i++) {
    say(" ");
    say_hex(cmos(REGISTERS[i]), 2);
  }
  say("\n");
}

/* Waits for a flag of register C; reading clears it. */
static int flag(u8 bit) {
  for (u32 i = 0; i < 40000000; i++)
    if ((cmos(12) & bit) != 0) return 1;
  return 0;
}

static void clock(void) {
  report("battery", cmos(13) & 0x80, 2);
  set_cmos(10, 0x26);
  /* The last second of a leap day's eve, and of a century. */
  static const u8 EVE[] = {0x59, 0x59, 0x23, 0x28, 0x02, 0x24, 0x20};
  set_clock(2, EVE);
  report_clock("eve");
  cmos(12);
  expect(flag(0x10), "an update is told of");
  expect(flag(0x10), "another update is told of");
  cmos(12);
  report_clock("leap day");
  static const u8 CENTURY[] = {59, 59, 0x80 | 11, 31, 12, 99, 20};
  set_clock(4, CENTURY);
  report_clock("binary, twelve hours");
  cmos(12);
  expect(flag(0x10) && flag(0x10), "updates of a binary clock");
  out8(CMOS, 0);
  while ((cmos(10) & 0x80) != 0) {
  }
  report("hour", cmos(4), 2);
  report("day", cmos(7), 2);
  report("month", cmos(8), 2);
  /* The alarm, with its interrupt; C0h and above mean any. */
  set_cmos(1, 0xff);
  set_cmos(3, 0xff);
  set_cmos(5, 0xff);
  cmos(12);
  set_cmos(11, 0x26);
  wait_request(PIC2, 1, "the alarm's interrupt");
  report("alarm flags", cmos(12) & 0xa0, 2);
  set_cmos(11, 2);
  acknowledge(PIC2, 0xfe);
  /* The periodic interrupt. */
  cmos(12);
  set_cmos(11, 0x42);
  wait_request(PIC2, 1, "the periodic interrupt");
  report("periodic flags", cmos(12) & 0xc0, 2);
  set_cmos(11, 2);
  acknowledge(PIC2, 0xfe);
  set_cmos(0x50, 0x5a);
  report("memory", cmos(0x50), 2);
}

/* ---- address line 20 */

static void keyboard_command(u8 command, u8 data) {
  while ((in8(KEYBOARD_COMMAND) & 2) != 0) {
  }
  out8(KEYBOARD_COMMAND, command);
  while ((in8(KEYBOARD_COMMAND) & 2) != 0) {
  }
  out8(KEYBOARD, data);
  while ((in8(KEYBOARD_COMMAND) & 2) != 0) {
  }
}

static void address_line(void) {
  out8(PORT92, 2);
  MEMORY32(0x500) = 0x11111111;
  MEMORY32(0x100500) = 0x22222222;
  MEMORY32(0x300500) = 0x33333333;
  report("open", MEMORY32(0x500), 8);
  out8(PORT92, 0);
  report("masked", MEMORY32(0x100500), 8);
  report("masked, odd megabyte", MEMORY32(0x300500), 8);
  MEMORY32(0x100500) = 0x44444444;
  out8(PORT92, 2);
  report("written", MEMORY32(0x500), 8);
  report("not written", MEMORY32(0x100500), 8);
  keyboard_command(0xd1, 0xdd);
  report("masked by the keyboard controller", MEMORY32(0x100500), 8);
  keyboard_command(0xd1, 0xdf);
  report("opened again", MEMORY32(0x100500), 8);
}

void run(void) {
  set_up_pic(PIC, 0x20, 4);
  set_up_pic(PIC2, 0x28, 2);
  address_line();
  timer();
  clock();
  floppy();
}
