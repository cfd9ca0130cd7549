// SPDX-License-Identifier: Apache-2.0
// The windows of memory that guest code sees. Each is mapped twice: at its guest address with the guest's rights, and
// somewhere above 4 GiB read-write for the harness.
#ifndef ISOLA_ORACLE_MEMORY_MAP_H
#define ISOLA_ORACLE_MEMORY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "state.h"

#define CODE_PAGE 0x30000000ull
#define CODE_END (CODE_PAGE + 0x1000) // nothing is mapped here: the end of the instruction under test
#define DATA_WINDOW 0x50000000ull
#define DATA_SIZE 0x2000ull
#define READ_ONLY_WINDOW 0x50010000ull
#define LOW_WINDOW 0x6000ull // reachable with 16-bit addresses
// Same low 32 bits as the data window, so that a forgotten address-size prefix changes the result.
#define HIGH_WINDOW (0x123400000000ull + DATA_WINDOW)
#define PAGE 0x1000ull

enum { WINDOW_READ = 1, WINDOW_WRITE = 2, WINDOW_EXECUTE = 4 };
enum { WINDOW_CODE, WINDOW_DATA, WINDOW_READ_ONLY, WINDOW_LOW, WINDOW_HIGH, WINDOW_COUNT };

struct window {
  uint64_t base;
  uint64_t size;
  int rights;
  uint8_t *view; // the harness's own mapping
  uint8_t *initial; // contents before every vector
};

extern struct window windows[WINDOW_COUNT];

enum { CODE_FILL = 0xcc };

// Maps everything and fills it from `seed`.
void memory_map_create(uint64_t seed);
// Pointer into the harness's view, or null unless all of [address, address + length) lies in one data window.
uint8_t *memory_view(uint64_t address, uint64_t length);
// Puts back the initial contents and applies the patches and the code of a vector.
void memory_prepare(const struct vector *vector, uint64_t start);
// Finds every byte that differs from initial contents plus patches; false when there are too many differing runs.
bool memory_collect_diffs(struct vector *vector);

#endif
