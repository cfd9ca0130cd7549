// SPDX-License-Identifier: Apache-2.0
// Prints "@begin NAME" and "@end NAME CHECKSUM" around each workload. Whoever reads the console takes the time: a guest's
// own clock is not to be trusted in a comparison of machines. "@absent NAME" stands for both lines where the processor
// lacks the instructions.
//   bench [scale-percent] [name...]
//   bench list [avx2]
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "workloads.h"

static const struct workload *const usual[] = {cpu_workloads,    dispatch_workloads, bit_workloads,
                                               vector_workloads, memory_workloads,   kernel_workloads};
enum { USUAL = sizeof usual / sizeof *usual };

static int wanted(const char *name, int count, char **names) {
  if (count == 0) return 1;
  for (int i = 0; i < count; i++)
    if (!strcmp(names[i], name)) return 1;
  return 0;
}

static void run_all(const struct workload *all, unsigned long scale, int count, char **names) {
  for (const struct workload *w = all; w->name; w++) {
    if (!wanted(w->name, count, names)) continue;
    if (w->possible && !w->possible()) {
      printf("@absent %s\n", w->name);
      continue;
    }
    uint64_t rounds = w->rounds * scale / 100;
    printf("@begin %s\n", w->name);
    fflush(stdout);
    uint64_t sum = w->run(rounds ? rounds : 1);
    printf("@end %s %llx\n", w->name, (unsigned long long)sum);
    fflush(stdout);
  }
}

static void list(const struct workload *all) {
  for (const struct workload *w = all; w->name; w++) printf(" %s", w->name);
}

int main(int argc, char **argv) {
  if (argc > 1 && !strcmp(argv[1], "list")) {
    printf("@list");
    if (argc > 2 && !strcmp(argv[2], "avx2")) list(avx2_workloads);
    else
      for (int i = 0; i < USUAL; i++) list(usual[i]);
    puts("");
    return 0;
  }
  unsigned long scale = argc > 1 ? strtoul(argv[1], 0, 10) : 100;
  int count = argc > 2 ? argc - 2 : 0;
  for (int i = 0; i < USUAL; i++) run_all(usual[i], scale, count, argv + 2);
  run_all(avx2_workloads, scale, count, argv + 2);
  puts("@done");
  return 0;
}
