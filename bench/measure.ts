// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { Contender, Guest } from "./contenders/contender.js";
import { type ContenderResults, emptyResults, type GuestResults } from "./results.js";
import { runNatively, Session } from "./session.js";

export interface Plan {
  readonly rounds: number;
  /** Percent. */
  readonly scale: number;
  /** Names of workloads; none means all. */
  readonly only: readonly string[];
  readonly bootOnly: boolean;
  readonly say: (line: string) => void;
}

interface Lane {
  readonly contender: Contender;
  readonly results: ContenderResults;
  session: Session | null;
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`;

/** The lanes forwards or backwards: who goes first alternates, so that no one always has the warmer or colder host. */
function turn<T>(lanes: readonly T[], parity: number): readonly T[] {
  return parity % 2 === 0 ? lanes : lanes.toReversed();
}

/** Starts the lane's machine; a failure is noted, and `round` null means that the time does not count. */
async function boot(lane: Lane, guest: Guest, round: number | null, plan: Plan): Promise<void> {
  const { contender, results } = lane;
  try {
    lane.session = await Session.boot(contender, guest);
    plan.say(`  boot, ${contender.name}: ${seconds(lane.session.bootTime)}`);
    if (round === null) return;
    results.boots.set(round, lane.session.bootTime);
    const { bootProcessorTime } = lane.session;
    if (bootProcessorTime !== null) results.bootProcessorTimes.set(round, bootProcessorTime);
    const memory = lane.session.peakMemory();
    if (memory !== null) results.memoryAtShell.push(memory);
  } catch (error) {
    results.failures.set("boot", reason(error));
    plan.say(`  boot, ${contender.name}: FAILED: ${reason(error)}`);
  }
}

async function runWorkload(lane: Lane, guest: Guest, workload: string, round: number, plan: Plan): Promise<void> {
  const { contender, results, session } = lane;
  if (session === null || results.failures.has(workload)) return;
  try {
    const sample = await session.run(workload, plan.scale);
    const samples = results.samples.get(workload) ?? new Map();
    results.samples.set(workload, samples.set(round, sample));
    plan.say(`  ${workload}, ${contender.name}: ${seconds(sample.time)}`);
  } catch (error) {
    results.failures.set(workload, reason(error));
    plan.say(`  ${workload}, ${contender.name}: FAILED: ${reason(error)}`);
    // The workload may still be running in there: the others get a fresh machine.
    await session.stop();
    lane.session = null;
    await boot(lane, guest, null, plan);
  }
}

/** Whether this host's processor and kernel run the guests' programs. */
const NATIVE = process.platform === "linux" && process.arch === "x64";

async function runOnHost(results: ContenderResults, guest: Guest, workload: string, round: number, scale: number) {
  if (results.failures.has(workload)) return;
  try {
    const samples = results.samples.get(workload) ?? new Map();
    results.samples.set(workload, samples.set(round, await runNatively(guest.program, workload, scale)));
  } catch (error) {
    results.failures.set(workload, reason(error));
  }
}

/** Asks the first guest that answers which workloads there are; one that does not answer is as good as not booted. */
async function listWorkloads(lanes: readonly Lane[], plan: Plan): Promise<readonly string[]> {
  for (const lane of lanes) {
    if (lane.session === null) continue;
    try {
      return await lane.session.workloads();
    } catch (error) {
      lane.results.failures.set("boot", reason(error));
      plan.say(`  shell, ${lane.contender.name}: FAILED: ${reason(error)}`);
      await lane.session.stop();
      lane.session = null;
    }
  }
  return [];
}

function choose(all: readonly string[], only: readonly string[]): readonly string[] {
  const unknown = only.filter((name) => !all.includes(name));
  if (all.length > 0 && unknown.length > 0) {
    throw new OperatorError("USAGE", `--only: no workload ${unknown.join(", ")}; there are ${all.join(", ")}`);
  }
  return only.length === 0 ? all : all.filter((name) => only.includes(name));
}

/**
 * Measures one guest on all contenders, the subject first. A round boots every machine, one after the other, and then
 * gives each workload to one machine after the other, while the rest idle at their shells.
 */
export async function measureGuest(
  title: string,
  guest: Guest,
  contenders: readonly Contender[],
  plan: Plan,
): Promise<GuestResults> {
  const lanes: Lane[] = contenders.map((contender) => {
    return { contender, results: emptyResults(contender.name), session: null };
  });
  const native = NATIVE ? emptyResults("this processor") : null;
  let workloads: readonly string[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    plan.say(`${title}, round ${round + 1} of ${plan.rounds}`);
    try {
      for (const lane of turn(lanes, round)) {
        if (!lane.results.failures.has("boot")) await boot(lane, guest, round, plan);
      }
      if (workloads.length === 0 && !plan.bootOnly) workloads = choose(await listWorkloads(lanes, plan), plan.only);
      for (const [index, workload] of workloads.entries()) {
        if (native !== null) await runOnHost(native, guest, workload, round, plan.scale);
        for (const lane of turn(lanes, round + index)) await runWorkload(lane, guest, workload, round, plan);
      }
      if (workloads.length > 0) noteMemoryAtEnd(lanes);
    } finally {
      for (const lane of lanes) {
        await lane.session?.stop();
        lane.session = null;
      }
    }
  }
  const description = `${guest.description}; command line \`${guest.append}\``;
  return { title, description, workloads, contenders: lanes.map(({ results }) => results), native };
}

function noteMemoryAtEnd(lanes: readonly Lane[]): void {
  for (const { session, results } of lanes) {
    const memory = session?.peakMemory() ?? null;
    // After a failure the machine is a fresh one, which has not run everything.
    if (memory !== null && results.failures.size === 0) results.memoryAtEnd.push(memory);
  }
}
