/* SPDX-License-Identifier: Apache-2.0 */
/* Turns the volumes up and plays a triangle wave of 480 Hz for two seconds through OSS; no C library. */
static long call(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}

enum { WRITE = 1, OPEN = 2, IOCTL = 16, EXIT = 60 };
enum { RATE = 48000, FRAMES = 2 * RATE, PERIOD = 100 };
static const unsigned MIXER_VOLUME = 0xc0044d00, MIXER_PCM = 0xc0044d04;
static const unsigned DSP_SPEED = 0xc0045002, DSP_FORMAT = 0xc0045005, DSP_CHANNELS = 0xc0045006, DSP_SYNC = 0x5001;
static short samples[2 * FRAMES];

static void need(int ok, long status) {
  if (!ok) call(EXIT, status, 0, 0);
}

static int set(long fd, unsigned request, int value) {
  call(IOCTL, fd, request, (long)&value);
  return value;
}

void _start(void) {
  long mixer = call(OPEN, (long)"/dev/mixer", 2, 0);
  need(mixer >= 0, 1);
  set(mixer, MIXER_VOLUME, 100 | 100 << 8);
  set(mixer, MIXER_PCM, 74 | 74 << 8);
  long sound = call(OPEN, (long)"/dev/dsp", 1, 0);
  need(sound >= 0, 2);
  need(set(sound, DSP_FORMAT, 0x10) == 0x10, 3);
  need(set(sound, DSP_CHANNELS, 2) == 2, 4);
  need(set(sound, DSP_SPEED, RATE) == RATE, 5);
  for (int i = 0; i < FRAMES; i++) {
    int at = i % PERIOD;
    int level = (at < PERIOD / 2 ? at : PERIOD - at) * 400 - 10000;
    samples[2 * i] = (short)level;
    samples[2 * i + 1] = (short)-level;
  }
  for (long done = 0; done < (long)sizeof samples;) {
    long count = call(WRITE, sound, (long)samples + done, (long)sizeof samples - done);
    need(count > 0, 6);
    done += count;
  }
  need(call(IOCTL, sound, DSP_SYNC, 0) >= 0, 7);
  call(EXIT, 0, 0, 0);
}
