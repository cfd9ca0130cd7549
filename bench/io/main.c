// SPDX-License-Identifier: Apache-2.0
// Moves data between a guest and its disks and network, and prints when it begins and ends (bench/marks.ts). The same
// program is the host's end of the network.
//   io list
//   io SCALE-PERCENT TCP-PORT UDP-PORT NAME
//   io serve
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "io.h"

int tcp_port, udp_port;
/// Whether what is done now is to be measured.
static int measured;
/// Before that the same is done for so long (seconds): throughput is what a machine can keep up.
enum { RAMP = 2 };

void begin(const struct io_work *work, uint64_t amount) {
  if (!measured) return;
  printf("@begin %s %llu %s\n", work->name, (unsigned long long)amount, work->unit);
  fflush(stdout);
}

void end(const struct io_work *work) {
  if (!measured) return;
  printf("@end %s\n", work->name);
  fflush(stdout);
}

void fail(const struct io_work *work, const char *what) {
  printf("@failed %s %s: %s\n", work->name, what, strerror(errno));
  exit(1);
}

const uint8_t *stream_bytes(void) {
  static uint8_t bytes[STREAM_PERIOD];
  static int filled;
  if (!filled) {
    uint32_t random = 1;
    for (int i = 0; i < STREAM_PERIOD; i++) bytes[i] = (random = random * 1664525 + 1013904223) >> 24;
    filled = 1;
  }
  return bytes;
}

uint64_t sample_stream(uint64_t sum, uint64_t at, const uint8_t *bytes, uint64_t length) {
  uint64_t first = (at + SAMPLE_EVERY - 1) / SAMPLE_EVERY * SAMPLE_EVERY;
  for (uint64_t i = first; i < at + length; i += SAMPLE_EVERY) sum = sum * 31 + bytes[i - at];
  return sum;
}

static const struct io_work *find(const struct io_work *all, const char *name) {
  for (; all->name; all++)
    if (!strcmp(all->name, name)) return all;
  return 0;
}

static time_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec;
}

int main(int argc, char **argv) {
  if (argc > 1 && !strcmp(argv[1], "serve")) return serve();
  if (argc > 1 && !strcmp(argv[1], "list")) {
    printf("@list");
    for (const struct io_work *work = disk_work; work->name; work++) printf(" %s", work->name);
    for (const struct io_work *work = net_work; work->name; work++) printf(" %s", work->name);
    puts("");
    return 0;
  }
  if (argc < 5) return 2;
  tcp_port = atoi(argv[2]);
  udp_port = atoi(argv[3]);
  const struct io_work *work = find(disk_work, argv[4]);
  if (!work) work = find(net_work, argv[4]);
  if (!work) return 2;
  uint64_t amount = work->amount * strtoul(argv[1], 0, 10) / 100;
  if (!amount) amount = 1;
  for (time_t start = now(); now() - start < RAMP;) work->run(work, amount);
  measured = 1;
  uint64_t sum = work->run(work, amount);
  printf("@sum %s %llx\n", work->name, (unsigned long long)sum);
  return 0;
}
