// SPDX-License-Identifier: Apache-2.0
import { type CounterGroup, type CounterSpecs, type CounterValues, declareCounters } from "@isola/base";

const IN_MEMORY = {
  instructionsInterpreted: {
    unit: "events",
    doc: "guest instructions that the interpreter executed: all of a block for each entry, also if it was left in the middle",
  },
  blocksInvalidated: { unit: "events", doc: "decoded blocks dropped because their bytes were written" },
  blocksEvicted: { unit: "events", doc: "decoded blocks dropped because the arena was full" },
  arenaEvictions: { unit: "events", doc: "times that half of the arena of decoded blocks was emptied" },
  pagesProtected: {
    unit: "events",
    doc: "pages of RAM that got their first decoded code, so that writes to them are seen",
  },
} as const satisfies CounterSpecs;

export type CodeMemoryCounter = keyof typeof IN_MEMORY;
export const CODE_MEMORY_COUNTERS = Object.keys(IN_MEMORY) as readonly CodeMemoryCounter[];

const SPECS = {
  ...IN_MEMORY,
  instructionsCompiled: { unit: "events", doc: "all other guest instructions, which compiled code executed" },
  arenaBytes: { unit: "bytes", doc: "bytes of decoded blocks now in the arena" },
} as const satisfies CounterSpecs;

/** The cache of decoded code, which all vCPUs share. */
export const CODE_COUNTERS: CounterGroup<typeof SPECS> = declareCounters("code", SPECS);
export type CodeCounterValues = CounterValues<typeof SPECS>;
