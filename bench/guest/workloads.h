// SPDX-License-Identifier: Apache-2.0
// A workload runs `rounds` times its unit of work and returns a checksum, so that nothing is optimised away and all
// machines can be seen to have computed the same.
#pragma once
#include <stdint.h>

typedef uint64_t (*workload_fn)(uint64_t rounds);

struct workload {
  const char *name;
  uint64_t rounds; // about half a second of QEMU TCG in a 64-bit guest
  workload_fn run;
  int (*possible)(void); // whether this processor has the instructions; null if every one has
};

extern const struct workload cpu_workloads[];
extern const struct workload dispatch_workloads[];
extern const struct workload bit_workloads[];
extern const struct workload vector_workloads[];
extern const struct workload memory_workloads[];
extern const struct workload kernel_workloads[];
/// Listed apart: machines differ in whether they have AVX2.
extern const struct workload avx2_workloads[];
