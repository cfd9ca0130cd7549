// SPDX-License-Identifier: Apache-2.0
#ifndef ISOLA_ORACLE_EXECUTE_H
#define ISOLA_ORACLE_EXECUTE_H

#include "state.h"

// Installs the signal handlers and takes a signal frame to use as a mould.
void execute_setup(void);
// True when the kernel's signal frames carry the upper halves of YMM registers.
bool execute_has_avx(void);
// Selectors the guest runs with.
struct selectors { uint16_t cs, ss, ds, es, fs, gs; };
struct selectors execute_selectors(int mode);
// Runs vector->code from vector->in on this CPU and fills in out, outcome and diffs. The code ends at CODE_END.
// With `step` the instruction is stopped by the trap flag, otherwise by the unmapped page after it.
// False when memory changed in too many places to record.
bool execute(struct vector *vector, bool step);

#endif
