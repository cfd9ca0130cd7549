// SPDX-License-Identifier: Apache-2.0
// Counters in linear memory; what they count is declared in src/counters/. One load and one store each, on paths that
// inline code has already left.

/** Counts one event; `counter` is the address of a vCPU's record plus a VCPU_COUNTER constant. */
// @ts-ignore: a decorator of AssemblyScript
@inline
export function count(counter: usize): void {
  store<u64>(counter, load<u64>(counter) + 1);
}

/** The same for the counter of label `index`. */
// @ts-ignore: a decorator of AssemblyScript
@inline
export function countLabel(counter: usize, index: u32): void {
  count(counter + (<usize>index << 3));
}
