// SPDX-License-Identifier: Apache-2.0
import { type CounterGroup, type CounterSpecs, type CounterValues, declareCounters } from "@isola/base";
import type { TimedTranslator } from "./timed-translator.js";

const SPECS = {
  modules: { unit: "events", doc: "modules compiled, each with one or more regions" },
  regions: { unit: "events", doc: "regions compiled" },
  blocks: { unit: "events", doc: "blocks in them; one that is in two regions counts twice" },
  records: { unit: "events", doc: "decoded records in them: about one for each instruction" },
  wasmBytes: { unit: "bytes", doc: "bytes of WebAssembly generated" },
  regionsPromoted: {
    unit: "events",
    doc: "regions among them that take in all that they call, since they were entered often",
  },
  regionsReused: { unit: "events", doc: "regions among them whose code was kept from an earlier run" },
  generationTime: { unit: "ns", doc: "host time spent forming regions and generating code" },
  regionsInvalidated: { unit: "events", doc: "regions dropped because guest code in them was written" },
  regionsEvicted: { unit: "events", doc: "regions dropped to make room" },
  regionsLive: { unit: "events", doc: "regions in the cache now" },
} as const satisfies CounterSpecs;

/** The compiler of hot code, which all vCPUs share. */
export const COMPILER_COUNTERS: CounterGroup<typeof SPECS> = declareCounters("compiler", SPECS);
export type CompilerCounterValues = CounterValues<typeof SPECS>;

/** What the compiler counts, under the names of its counters. */
export function compilerCounters({ statistics, generationTime }: TimedTranslator): CompilerCounterValues {
  const { modules, regions, blocks, records, wasmBytes, promoted, reused, invalidated, evicted, live } = statistics;
  return {
    modules,
    regions,
    blocks,
    records,
    wasmBytes,
    regionsPromoted: promoted,
    regionsReused: reused,
    generationTime,
    regionsInvalidated: invalidated,
    regionsEvicted: evicted,
    regionsLive: live,
  };
}
