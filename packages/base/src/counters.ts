// SPDX-License-Identifier: Apache-2.0
import { assert } from "./assert.js";

/** What a counter counts in. `ns` is nanoseconds. */
export type CounterUnit = "events" | "instructions" | "bytes" | "ns";

/** One declared counter. */
export interface CounterSpec {
  readonly unit: CounterUnit;
  /** For a counter with a value for each of several labels: what the labels are, for example "vector" or "device". */
  readonly by?: string;
  /** What is counted, in one sentence without its full stop. */
  readonly doc: string;
}

export type CounterSpecs = { readonly [name: string]: CounterSpec };

/** The counters of one part of a machine. They are declared once; values are plain records that have their names. */
export interface CounterGroup<S extends CounterSpecs> {
  /** First half of the full names: the `vcpu` of `vcpu.exits`. */
  readonly part: string;
  readonly specs: S;
}

/** Values of a counter with labels. Labels that nothing was counted for may be missing. */
export type LabelledCounts = { readonly [label: string]: number };

/** The values of a group: a number for each counter, or numbers by label. */
export type CounterValues<S extends CounterSpecs> = {
  readonly [K in keyof S]: S[K] extends { readonly by: string } ? LabelledCounts : number;
};

const NAME = /^[a-z][A-Za-z0-9]*$/;

/** Declares the counters of `part`. Names are in camel case. */
export function declareCounters<const S extends CounterSpecs>(part: string, specs: S): CounterGroup<S> {
  for (const name of [part, ...Object.keys(specs)]) assert(NAME.test(name), `"${name}" cannot name a counter`);
  return { part, specs };
}

/** A counter with labels as one number. */
export function sumOf(counts: LabelledCounts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** Values of counters by their full names, `part.name` or `part.name.label`; `part` may say which of several. */
export function flattenCounters(
  part: string,
  values: { readonly [name: string]: number | LabelledCounts },
): LabelledCounts {
  const flat: Record<string, number> = {};
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === "number") flat[`${part}.${name}`] = value;
    else for (const [label, count] of Object.entries(value)) flat[`${part}.${name}.${label}`] = count;
  }
  return flat;
}
