// SPDX-License-Identifier: Apache-2.0
// Random operand values, biased to where instructions go wrong.
#ifndef ISOLA_ORACLE_VALUES_H
#define ISOLA_ORACLE_VALUES_H

#include <stdint.h>
#include "random.h"

uint64_t random_integer(struct random *r);
uint32_t random_single(struct random *r);
uint64_t random_double(struct random *r);
void random_extended(struct random *r, uint8_t out[10]);
// Fills `size` bytes with values of a kind (enum value_kind).
void random_value(struct random *r, int kind, int size, uint8_t *out);
uint16_t random_fcw(struct random *r);
uint32_t random_mxcsr(struct random *r);

#endif
