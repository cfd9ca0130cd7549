// SPDX-License-Identifier: Apache-2.0
#ifndef ISOLA_ORACLE_COMPARE_H
#define ISOLA_ORACLE_COMPARE_H

#include <stddef.h>
#include "state.h"

// Compares the results of two runs; true when equal, else `why` names the first difference. `everything` ignores the
// notes and compares undefined parts too.
bool results_equal(const struct vector *expected, const struct vector *got, bool everything, char *why, size_t why_size);

#endif
