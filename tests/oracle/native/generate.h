// SPDX-License-Identifier: Apache-2.0
#ifndef ISOLA_ORACLE_GENERATE_H
#define ISOLA_ORACLE_GENERATE_H

#include "random.h"
#include "row.h"
#include "state.h"

enum { BACKGROUND_COUNT = 64 };

// Whole CPU states that vectors start from, so that a vector only has to name what it changes.
extern struct cpu_state backgrounds[BACKGROUND_COUNT];
void backgrounds_create(int mode, uint64_t seed);

// Drafts one vector of a row; false when the dice gave something that cannot be encoded.
bool generate(struct vector *v, int row, int mode, struct random *r);
// Drafts random bytes and finds out how long they are by executing them; false when they are not allowed.
bool generate_raw(struct vector *v, int row, int mode, struct random *r);
// True when executing these bytes would leave the sandbox: system calls, segment loads, time, TSX and the like.
bool forbidden_code(const uint8_t *code, int length, int mode);

#endif
