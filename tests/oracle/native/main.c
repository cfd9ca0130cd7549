// SPDX-License-Identifier: Apache-2.0
// oracle gen FILE [--mode 64|32] [--seed N] [--count N] [--family NAME]...
// oracle verify FILE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "compare.h"
#include "draft.h"
#include "execute.h"
#include "generate.h"
#include "memory_map.h"
#include "row.h"
#include "vector_file.h"

struct options {
  int mode;
  uint64_t seed;
  uint32_t count;
  uint32_t families; // bit set
  bool verbose;
};

struct tally {
  uint32_t written, unstable, hung, too_long, overflowing;
  uint32_t by_family[FAMILY_COUNT], by_outcome[256];
};

static int usage(void) {
  fprintf(stderr, "usage: oracle gen FILE [--mode 64|32] [--seed N] [--count N] [--family NAME]... [-v]\n"
                  "       oracle verify FILE [-v]\n");
  return 2;
}

static int family_named(const char *name) {
  for (int i = 0; i < FAMILY_COUNT; i++) {
    if (strcmp(name, family_names[i]) == 0) return i;
  }
  fprintf(stderr, "oracle: no family '%s'; they are:", name);
  for (int i = 0; i < FAMILY_COUNT; i++) fprintf(stderr, " %s", family_names[i]);
  fputc('\n', stderr);
  exit(2);
}

static void print_code(const struct vector *v) {
  for (int i = 0; i < v->code_length; i++) fprintf(stderr, " %02x", v->code[i]);
}

// Runs a drafted vector twice and keeps it when both runs agree in every bit.
static bool record(struct vector *v, struct tally *tally, bool verbose) {
  static struct vector again;
  char why[160];
  if (!execute(v, false)) {
    tally->overflowing++;
    return false;
  }
  if (v->outcome.what == OUTCOME_HANG) {
    tally->hung++;
    return false;
  }
  if (v->outcome.what == OUTCOME_FETCH) { // the table claims fewer bytes than the CPU wants
    tally->too_long++;
    if (verbose) fprintf(stderr, "too short: %s", rows[v->row].name), print_code(v), fputc('\n', stderr);
    return false;
  }
  again = *v;
  if (!execute(&again, v->single_step) || !results_equal(v, &again, true, why, sizeof why)) {
    tally->unstable++;
    if (verbose) fprintf(stderr, "unstable: %s: %s:", rows[v->row].name, why), print_code(v), fputc('\n', stderr);
    return false;
  }
  if (rows[v->row].family != RAW) mark_outcome(v, &rows[v->row]);
  return true;
}

static void print_tally(const struct tally *t, const char *path) {
  printf("%s: %u vectors; dropped: %u unstable, %u hung, %u too short, %u with too many changes\n", path, t->written, t->unstable,
         t->hung, t->too_long, t->overflowing);
  printf("families:");
  for (int i = 0; i < FAMILY_COUNT; i++) {
    if (t->by_family[i]) printf(" %s %u", family_names[i], t->by_family[i]);
  }
  printf("\noutcomes: completed %u", t->by_outcome[OUTCOME_COMPLETED]);
  for (int i = 0; i < OUTCOME_HANG; i++) {
    if (t->by_outcome[i]) printf(", #%d %u", i, t->by_outcome[i]);
  }
  printf("\n");
}

static void generate_rows(const struct options *o, FILE *file, struct tally *tally) {
  static struct vector v;
  struct random r = random_from(o->seed * 2 + (o->mode == 64));
  uint32_t rounds = 0;
  while (tally->written < o->count) {
    const uint32_t before = tally->written;
    for (int row = 0; row < row_count && tally->written < o->count; row++) {
      const int family = rows[row].family;
      if (!(o->families >> family & 1) || (rows[row].vex && !execute_has_avx())) continue;
      const int tries = family == RAW ? 200 : rows[row].weight;
      for (int i = 0; i < tries && tally->written < o->count; i++) {
        const bool drafted = family == RAW ? generate_raw(&v, row, o->mode, &r) : generate(&v, row, o->mode, &r);
        if (!drafted || !record(&v, tally, o->verbose)) continue;
        vector_file_append(file, &v);
        tally->written++;
        tally->by_family[family]++;
        tally->by_outcome[v.outcome.what]++;
      }
    }
    if (tally->written == before && ++rounds > 50) {
      fprintf(stderr, "oracle: this machine cannot run any of these instructions\n");
      exit(2);
    }
  }
}

static int command_generate(const char *path, const struct options *o) {
  struct tally tally = { 0 };
  FILE *file = fopen(path, "wb");
  if (!file) {
    perror(path);
    return 2;
  }
  memory_map_create(o->seed);
  execute_setup();
  backgrounds_create(o->mode, o->seed);
  vector_file_start(file, o->mode, o->seed);
  generate_rows(o, file, &tally);
  vector_file_finish(file, tally.written);
  print_tally(&tally, path);
  return 0;
}

static int command_verify(const char *path, bool verbose) {
  static struct vector expected, got;
  struct vector_reader reader;
  uint32_t bad = 0;
  char why[160];
  vector_file_open(&reader, path);
  memory_map_create(reader.seed);
  execute_setup();
  backgrounds_create(reader.mode, reader.seed);
  vector_file_check_header(&reader);
  for (uint32_t i = 0; i < reader.count; i++) {
    vector_file_next(&reader, &expected);
    got = expected;
    if (execute(&got, false) && results_equal(&expected, &got, false, why, sizeof why)) continue;
    bad++;
    if (verbose || bad <= 20) {
      fprintf(stderr, "bad #%u %s: %s:", i, rows[expected.row].name, why);
      print_code(&expected);
      fputc('\n', stderr);
    }
  }
  printf("%s: %u vectors replayed, %u bad\n", path, reader.count, bad);
  return bad != 0;
}

int main(int argc, char **argv) {
  struct options o = { .mode = 64, .seed = 1, .count = 10000 };
  if (argc < 3) return usage();
  for (int i = 3; i < argc; i++) {
    const char *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (strcmp(argv[i], "-v") == 0) {
      o.verbose = true;
      continue;
    }
    if (!value) return usage();
    if (strcmp(argv[i], "--mode") == 0) o.mode = atoi(value);
    else if (strcmp(argv[i], "--seed") == 0) o.seed = strtoull(value, NULL, 0);
    else if (strcmp(argv[i], "--count") == 0) o.count = (uint32_t)strtoul(value, NULL, 0);
    else if (strcmp(argv[i], "--family") == 0) o.families |= 1u << family_named(value);
    else return usage();
    i++;
  }
  if (o.mode != 64 && o.mode != 32) return usage();
  if (!o.families) o.families = (1u << FAMILY_COUNT) - 1;
  rows_load();
  if (strcmp(argv[1], "gen") == 0) return command_generate(argv[2], &o);
  if (strcmp(argv[1], "verify") == 0) return command_verify(argv[2], o.verbose);
  return usage();
}
