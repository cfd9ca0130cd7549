// SPDX-License-Identifier: Apache-2.0
import type { Amount, Sample } from "./session.js";

/** What one contender did with one guest. Maps are by round, so that rounds can be paired. */
export interface ContenderResults {
  readonly name: string;
  /** Start of the process to the end of the boot, milliseconds. */
  readonly boots: Map<number, number>;
  /** Processor time of the same, milliseconds. */
  readonly bootProcessorTimes: Map<number, number>;
  /** By piece of work. */
  readonly samples: Map<string, Map<number, Sample>>;
  /** Peak resident memory in MiB when the machine had booted, and when all work was done. */
  readonly memoryAtShell: number[];
  readonly memoryAtEnd: number[];
  /** Of machines that tell: time spent translating guest code, in percent of the monitor's processor time. */
  readonly translationShares: number[];
  /** What went wrong, by piece of work or "boot"; it is not measured again. */
  readonly failures: Map<string, string>;
  /** Work for which the machine's processor lacks instructions. */
  readonly absent: Set<string>;
}

/** A part of the comparison, and how the report speaks of it. */
export interface Section {
  readonly title: string;
  /** What a piece of work is. */
  readonly work: "workload" | "transfer" | "program";
  /** Where a boot ends. */
  readonly booted: "shell" | "login prompt";
}

/** All contenders with one guest. */
export interface GuestResults extends Section {
  readonly description: string;
  /** Names of the work, in the guest's order. */
  readonly workloads: readonly string[];
  /** The subject first, then its peers. */
  readonly contenders: readonly ContenderResults[];
  /** The same program on the host's own processor and kernel, without any machine; null where that is impossible. */
  readonly native: ContenderResults | null;
}

export function emptyResults(name: string): ContenderResults {
  return {
    name,
    boots: new Map(),
    bootProcessorTimes: new Map(),
    samples: new Map(),
    memoryAtShell: [],
    memoryAtEnd: [],
    translationShares: [],
    failures: new Map(),
    absent: new Set(),
  };
}

/** Times of one workload by round, milliseconds. */
export function times(results: ContenderResults, workload: string): Map<number, number> {
  return new Map([...(results.samples.get(workload) ?? [])].map(([round, { time }]) => [round, time]));
}

/** Processor times of one workload by round, milliseconds; a sample without one, or with less than a tick, is left out. */
export function processorTimes(results: ContenderResults, workload: string): Map<number, number> {
  const known = [...(results.samples.get(workload) ?? [])].flatMap(([round, { processorTime }]) =>
    processorTime === null || processorTime === 0 ? [] : [[round, processorTime] as const],
  );
  return new Map(known);
}

/** What one piece of work moves, if it says so. */
export function amountOf({ contenders }: GuestResults, work: string): Amount | null {
  for (const { samples } of contenders) for (const { amount } of samples.get(work)?.values() ?? []) return amount;
  return null;
}

function everyone({ contenders, native }: GuestResults): readonly ContenderResults[] {
  return native === null ? contenders : [...contenders, native];
}

/** Why a workload's row does not count: machines computed different things, or one of them failed. Null if it does. */
export function disagreement(guest: GuestResults, workload: string): string | null {
  const checksums = new Map<string, Set<string>>();
  for (const { name, samples } of everyone(guest)) {
    const own = [...(samples.get(workload)?.values() ?? [])].map(({ checksum }) => checksum);
    if (own.length > 0) checksums.set(name, new Set(own));
  }
  if (new Set([...checksums.values()].flatMap((own) => [...own])).size <= 1) return null;
  const parts = [...checksums].map(([name, own]) => `${name} ${[...own].join("/")}`);
  return `checksums differ: ${parts.join(", ")}`;
}

/** Everything that went wrong with one guest, a line each. */
export function failuresOf(guest: GuestResults): string[] {
  const lines: string[] = [];
  for (const { name, failures } of everyone(guest)) {
    for (const [what, why] of failures) lines.push(`${guest.title}, ${what}, ${name}: ${why}`);
  }
  for (const workload of guest.workloads) {
    const why = disagreement(guest, workload);
    if (why !== null) lines.push(`${guest.title}, ${workload}: ${why}`);
  }
  return lines;
}
