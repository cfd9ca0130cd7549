// SPDX-License-Identifier: Apache-2.0
import type { LabelledCounts } from "@isola/base";
import { CODE_COUNTERS, defineLayout, type FieldSpec, type Layout } from "@isola/engine";
import { CODE_MEMORY_COUNTERS, type CodeMemoryCounter } from "./code-counters.js";
import { MEMORY_COUNTERS, type MemoryCounter } from "./cpu-counters.js";

/** Mnemonics of the exceptions, SDM 3A table 6-1. */
const EXCEPTION_NAMES =
  "#DE #DB NMI #BP #OF #BR #UD #NM #DF - #TS #NP #SS #GP #PF - #MF #AC #MC #XM #VE #CP - - - - - - #HV #VC #SX -".split(
    " ",
  );

const hexVector = (vector: number): string => `0x${vector.toString(16).padStart(2, "0")}`;
const exceptionName = (vector: number): string => {
  const name = EXCEPTION_NAMES[vector] ?? "-";
  return name === "-" ? hexVector(vector) : name;
};
const ALL_VECTORS = Array.from({ length: 256 }, (_, vector) => hexVector(vector));

/** Labels of the words of those counters that have several, in their order. */
const LABELS: { readonly [K in MemoryCounter]?: readonly string[] } = {
  // In the order of assembly/paging.ts: READ, WRITE, EXECUTE.
  tlbMisses: ["read", "write", "execute"],
  exceptions: Array.from({ length: 32 }, (_, vector) => exceptionName(vector)),
  interrupts: ALL_VECTORS,
  softwareInterrupts: ALL_VECTORS,
};

function counterField(name: MemoryCounter): FieldSpec {
  return { type: "u64", count: LABELS[name]?.length ?? 1, doc: `counter ${name}` };
}

/** Where the helpers' counters of one vCPU are, from VCPU_COUNTERS behind its record on. */
export const cpuCounterLayout: Layout<MemoryCounter> = defineLayout(
  Object.fromEntries(MEMORY_COUNTERS.map((name) => [name, counterField(name)])) as Record<MemoryCounter, FieldSpec>,
);

/** Where the machine's own counters are, from CODE_COUNTERS on. */
export const codeCounterLayout: Layout<CodeMemoryCounter> = defineLayout(
  Object.fromEntries(
    CODE_MEMORY_COUNTERS.map((name) => [name, { type: "u64", doc: `counter ${name}` } satisfies FieldSpec]),
  ) as Record<CodeMemoryCounter, FieldSpec>,
);

/** A counter of `layout` at `base` as a number; exact up to 2^53. */
export function readWord<Name extends string>(
  view: DataView,
  base: number,
  layout: Layout<Name>,
  name: Name,
  index = 0,
): number {
  return Number(view.getBigUint64(base + layout.at(name, index), true));
}

/** Counters of one vCPU, from their words at `base`: those with labels as records of what is not 0. */
export function readLabelled(view: DataView, base: number, name: MemoryCounter): LabelledCounts {
  const counts: Record<string, number> = {};
  LABELS[name]?.forEach((label, i) => {
    const count = readWord(view, base, cpuCounterLayout, name, i);
    if (count !== 0) counts[label] = count;
  });
  return counts;
}

/** The helpers' counters of the cache of decoded code. */
export function readCodeCounters(view: DataView): { readonly [K in CodeMemoryCounter]: number } {
  const word = (name: CodeMemoryCounter) => readWord(view, CODE_COUNTERS, codeCounterLayout, name);
  return {
    instructionsInterpreted: word("instructionsInterpreted"),
    blocksInvalidated: word("blocksInvalidated"),
    blocksEvicted: word("blocksEvicted"),
    arenaEvictions: word("arenaEvictions"),
    pagesProtected: word("pagesProtected"),
  };
}
