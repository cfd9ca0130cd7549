// SPDX-License-Identifier: Apache-2.0

/** A declared set of event counters. Values are plain numbers, exact up to 2^53. */
export interface Counters<Name extends string> {
  readonly names: readonly Name[];
  readonly values: Float64Array;
  readonly index: { readonly [K in Name]: number };
  /** Adds `n` to the counter called `name`. */
  add(name: Name, n?: number): void;
  /** A copy of all counters by name. */
  read(): { [K in Name]: number };
}

/** Declares counters: `defineCounters({ exits: "VM exits" })`; the text is the counter's documentation. */
export function defineCounters<Name extends string>(docs: { readonly [K in Name]: string }): Counters<Name> {
  const names = Object.keys(docs) as Name[];
  const index = Object.fromEntries(names.map((name, i) => [name, i])) as { [K in Name]: number };
  const values = new Float64Array(names.length);
  return {
    names,
    values,
    index,
    add(name, n = 1) {
      const at = index[name];
      values[at] = values[at]! + n;
    },
    read() {
      return Object.fromEntries(names.map((name, i) => [name, values[i]])) as { [K in Name]: number };
    },
  };
}
