// SPDX-License-Identifier: Apache-2.0
import { type CounterGroup, type CounterSpecs, type CounterValues, declareCounters } from "@isola/base";

const SPECS = {
  batches: { unit: "events", doc: "modules compiled, each with one or more regions" },
  regions: { unit: "events", doc: "regions compiled" },
  blocks: { unit: "events", doc: "blocks in them" },
  instructions: { unit: "instructions", doc: "guest instructions in them" },
  wasmBytes: { unit: "bytes", doc: "bytes of WebAssembly generated" },
  generationTime: { unit: "ns", doc: "host time spent generating code" },
  moduleTime: { unit: "ns", doc: "host time spent compiling and instantiating modules" },
  links: { unit: "events", doc: "jumps between regions that were linked" },
  regionsInvalidated: { unit: "events", doc: "regions dropped because guest code under them was written" },
  regionsEvicted: { unit: "events", doc: "regions dropped to make room" },
} as const satisfies CounterSpecs;

/** The compiler of hot code, which all vCPUs share. */
export const COMPILER_COUNTERS: CounterGroup<typeof SPECS> = declareCounters("compiler", SPECS);
export type CompilerCounterValues = CounterValues<typeof SPECS>;

/** One module that the compiler has made. */
export interface CompileBatch {
  readonly regions: number;
  readonly blocks: number;
  readonly instructions: number;
  readonly wasmBytes: number;
  /** Host time in ns spent generating code, and compiling and instantiating the module. */
  readonly generationTime: number;
  readonly moduleTime: number;
}
