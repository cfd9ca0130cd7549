// SPDX-License-Identifier: Apache-2.0
// The file that vectors are kept in. README.md documents the layout.
#ifndef ISOLA_ORACLE_VECTOR_FILE_H
#define ISOLA_ORACLE_VECTOR_FILE_H

#include <stdio.h>
#include "state.h"

struct vector_reader {
  uint8_t *bytes;
  size_t length, at;
  int mode;
  uint32_t count;
  uint64_t seed;
};

// Writes everything before the first vector; `count` is written again by vector_file_finish.
void vector_file_start(FILE *file, int mode, uint64_t seed);
void vector_file_append(FILE *file, const struct vector *v);
void vector_file_finish(FILE *file, uint32_t count);

// Ends the program with a message when the file is not usable with this program.
void vector_file_open(struct vector_reader *reader, const char *path);
// Skips the part that vector_file_start wrote, which must be what this program would write.
void vector_file_check_header(struct vector_reader *reader);
void vector_file_next(struct vector_reader *reader, struct vector *v);

#endif
