// SPDX-License-Identifier: Apache-2.0
import { type CounterGroup, type CounterSpecs, declareCounters } from "@isola/base";

/**
 * What helpers count on one vCPU, in linear memory: see counter-layout.ts. They count where inline code has already been
 * left, so that a hit of the soft TLB, of a link or of the jump cache costs nothing more; such hits are not counted.
 */
const IN_MEMORY = {
  tlbMisses: {
    unit: "events",
    by: "access",
    doc: "translations that the inline probe of the soft TLB did not give: no entry, a page crossing, a device, a write to a page with decoded code",
  },
  tlbFills: { unit: "events", doc: "entries written to the soft TLB" },
  tlbFlushes: { unit: "events", doc: "times an address space lost all its translations" },
  pageInvalidations: { unit: "events", doc: "single translations invalidated, as by INVLPG" },
  pageWalks: { unit: "events", doc: "walks of the guest's page tables" },
  pageFaults: { unit: "events", doc: "walks that found no page or not the rights" },
  blockLookups: { unit: "events", doc: "searches for the block at RIP that neither a link nor the jump cache saved" },
  links: { unit: "events", doc: "direct jumps that were linked to the block of their target" },
  exceptions: { unit: "events", by: "vector", doc: "exceptions delivered to the guest" },
  interrupts: { unit: "events", by: "vector", doc: "external interrupts and NMIs delivered to the guest" },
  softwareInterrupts: { unit: "events", by: "vector", doc: "INT n, INT3, INTO and INT1 that reached their handler" },
} as const satisfies CounterSpecs;

/** What the run loop counts on one vCPU. */
const IN_RUN_LOOP = {
  instructions: {
    unit: "instructions",
    doc: "guest instructions executed in both tiers, as the budget counts them: one that faults counts too, iterations of repeated string instructions count as a fraction",
  },
  slices: { unit: "events", doc: "budgets of instructions that the vCPU was given" },
  exits: { unit: "events", by: "reason", doc: "returns of generated code to the run loop" },
  traps: { unit: "events", by: "instruction", doc: "instructions emulated by the run loop" },
  blocksDecoded: { unit: "events", doc: "blocks of guest code decoded" },
} as const satisfies CounterSpecs;

export type MemoryCounter = keyof typeof IN_MEMORY;
export const MEMORY_COUNTERS = Object.keys(IN_MEMORY) as readonly MemoryCounter[];

type CpuCounterSpecs = typeof IN_MEMORY & typeof IN_RUN_LOOP;

/** The counters of one virtual processor. The machine adds what its scheduler knows of it. */
export const CPU_COUNTERS: CounterGroup<CpuCounterSpecs> = declareCounters("vcpu", { ...IN_RUN_LOOP, ...IN_MEMORY });
