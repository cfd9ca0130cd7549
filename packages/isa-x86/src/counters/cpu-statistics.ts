// SPDX-License-Identifier: Apache-2.0
import type { CounterValues, LabelledCounts } from "@isola/base";
import { Exit, VCPU_COUNTERS } from "@isola/engine";
import type { Form } from "../table/form.js";
import { cpuCounterLayout, readLabelled, readWord } from "./counter-layout.js";
import type { CPU_COUNTERS, MemoryCounter } from "./cpu-counters.js";

export type CpuCounterValues = CounterValues<(typeof CPU_COUNTERS)["specs"]>;

/** Room for every member of `Exit`. */
const EXIT_REASONS = 16;

/** Counts on one vCPU: what the run loop counts is held here, the rest is read from linear memory. */
export class CpuStatistics {
  private slices = 0;
  private retired = 0;
  private blocks = 0;
  private readonly exits = new Float64Array(EXIT_REASONS);
  private readonly traps: Float64Array;

  /**
   * @param record address of the vCPU's record
   * @param forms by handler number less the first one of a form
   */
  constructor(
    private readonly view: DataView,
    private readonly record: number,
    private readonly forms: readonly Form[],
  ) {
    this.traps = new Float64Array(forms.length);
  }

  /** A budget is over, and `instructions` of it were used. */
  countSlice(instructions: number): void {
    this.slices++;
    this.retired += instructions;
  }

  /** Generated code has returned for this reason. */
  countExit(reason: number): void {
    this.exits[reason]++;
  }

  /** An instruction of form number `form` is emulated. */
  countTrap(form: number): void {
    this.traps[form]++;
  }

  countBlock(): void {
    this.blocks++;
  }

  /** Instructions executed since the vCPU was made. */
  get instructions(): number {
    return this.retired;
  }

  /** Blocks decoded since the vCPU was made. */
  get blocksDecoded(): number {
    return this.blocks;
  }

  /** Returns of generated code since the vCPU was made. */
  get exitCount(): number {
    return this.exits.reduce((sum, count) => sum + count, 0);
  }

  /** One of the counters in linear memory that has no labels. */
  word(name: MemoryCounter): number {
    return readWord(this.view, this.record + VCPU_COUNTERS, cpuCounterLayout, name);
  }

  read(): CpuCounterValues {
    const base = this.record + VCPU_COUNTERS;
    const labelled = (name: MemoryCounter) => readLabelled(this.view, base, name);
    return {
      instructions: this.retired,
      slices: this.slices,
      exits: this.exitsByReason(),
      traps: this.trapsByMnemonic(),
      blocksDecoded: this.blocks,
      tlbMisses: labelled("tlbMisses"),
      tlbFills: this.word("tlbFills"),
      tlbFlushes: this.word("tlbFlushes"),
      pageInvalidations: this.word("pageInvalidations"),
      pageWalks: this.word("pageWalks"),
      pageFaults: this.word("pageFaults"),
      blockLookups: this.word("blockLookups"),
      links: this.word("links"),
      exceptions: labelled("exceptions"),
      interrupts: labelled("interrupts"),
      softwareInterrupts: labelled("softwareInterrupts"),
    };
  }

  private exitsByReason(): LabelledCounts {
    const counts: Record<string, number> = {};
    this.exits.forEach((count, reason) => {
      if (count !== 0) counts[(Exit[reason] ?? String(reason)).toLowerCase()] = count;
    });
    return counts;
  }

  private trapsByMnemonic(): LabelledCounts {
    const counts: Record<string, number> = {};
    this.traps.forEach((count, form) => {
      const name = this.forms[form]?.opcode.name;
      if (count !== 0 && name !== undefined) counts[name] = (counts[name] ?? 0) + count;
    });
    return counts;
  }
}
