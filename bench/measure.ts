// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { Contender } from "./contenders/contender.js";
import type { Guest } from "./guest.js";
import { type ContenderResults, emptyResults, type GuestResults, type Section } from "./results.js";
import { runNatively, type Sample, Session, WorkFailure } from "./session.js";

export interface Plan {
  readonly rounds: number;
  /** Percent. */
  readonly scale: number;
  /** Names of work; none means all. */
  readonly only: readonly string[];
  readonly bootOnly: boolean;
  readonly say: (line: string) => void;
}

interface Lane {
  readonly contender: Contender;
  readonly results: ContenderResults;
  session: Session | null;
}

export const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
export const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`;

/** The lanes forwards or backwards: who goes first alternates, so that no one always has the warmer or colder host. */
function turn<T>(lanes: readonly T[], parity: number): readonly T[] {
  return parity % 2 === 0 ? lanes : lanes.toReversed();
}

/** Starts the lane's machine; a failure is noted, and `round` null means that the time does not count. */
async function boot(lane: Lane, guest: Guest, round: number | null, plan: Plan): Promise<void> {
  const { contender, results } = lane;
  try {
    lane.session = await Session.boot(contender, (await guest.equip?.(contender.name)) ?? guest);
    plan.say(`  boot, ${contender.name}: ${seconds(lane.session.bootTime)}`);
    if (round !== null) noteBoot(lane.session, results, round);
    if (!plan.bootOnly) await lane.session.setUp();
  } catch (error) {
    results.failures.set("boot", reason(error));
    plan.say(`  boot, ${contender.name}: FAILED: ${reason(error)}`);
    await killSession(lane);
  }
}

/** Ends a machine that may do anything. */
async function killSession(lane: Lane): Promise<void> {
  await lane.session?.stop();
  lane.session = null;
}

/** Ends a machine that has done all that it was asked, and notes what it says of itself. */
async function endSession(lane: Lane): Promise<void> {
  const { session, contender, results } = lane;
  lane.session = null;
  if (session === null) return;
  const processorTime = session.processorTime();
  const report = contender.selfReport(await session.end());
  if (report === null || processorTime === null || processorTime === 0) return;
  results.translationShares.push((100 * report.translationTime) / processorTime);
}

function noteBoot(session: Session, results: ContenderResults, round: number): void {
  const { bootTime, bootProcessorTime } = session;
  results.boots.set(round, bootTime);
  if (bootProcessorTime !== null) results.bootProcessorTimes.set(round, bootProcessorTime);
  const memory = session.peakMemory();
  if (memory !== null) results.memoryAtShell.push(memory);
}

function noteSample(results: ContenderResults, work: string, round: number, sample: Sample | null): void {
  if (sample === null) {
    results.absent.add(work);
    return;
  }
  const samples = results.samples.get(work) ?? new Map<number, Sample>();
  results.samples.set(work, samples.set(round, sample));
}

async function runWork(lane: Lane, guest: Guest, work: string, round: number, plan: Plan): Promise<void> {
  const { contender, results, session } = lane;
  if (session === null || results.failures.has(work) || results.absent.has(work)) return;
  try {
    const sample = await session.run(work, plan.scale);
    noteSample(results, work, round, sample);
    plan.say(`  ${work}, ${contender.name}: ${sample === null ? "absent" : seconds(sample.time)}`);
  } catch (error) {
    results.failures.set(work, reason(error));
    plan.say(`  ${work}, ${contender.name}: FAILED: ${reason(error)}`);
    if (error instanceof WorkFailure) return;
    // The work may still be running in there: the rest gets a fresh machine.
    await killSession(lane);
    await boot(lane, guest, null, plan);
  }
}

/** Whether this host's processor and kernel run the guests' programs. */
const NATIVE = process.platform === "linux" && process.arch === "x64";

async function runOnHost(results: ContenderResults, guest: Guest, work: string, round: number, scale: number) {
  if (guest.program === null || results.failures.has(work) || results.absent.has(work)) return;
  try {
    noteSample(results, work, round, await runNatively(guest.program, work, guest, scale));
  } catch (error) {
    results.failures.set(work, reason(error));
  }
}

/** Asks the first guest that answers which work there is; one that does not answer is as good as not booted. */
async function listWork(lanes: readonly Lane[], plan: Plan): Promise<readonly string[]> {
  for (const lane of lanes) {
    if (lane.session === null) continue;
    try {
      return await lane.session.list();
    } catch (error) {
      lane.results.failures.set("boot", reason(error));
      plan.say(`  shell, ${lane.contender.name}: FAILED: ${reason(error)}`);
      await killSession(lane);
    }
  }
  return [];
}

function choose(all: readonly string[], only: readonly string[], { work }: Section): readonly string[] {
  const unknown = only.filter((name) => !all.includes(name));
  if (all.length > 0 && unknown.length > 0) {
    throw new OperatorError("USAGE", `--only: no ${work} ${unknown.join(", ")}; there are ${all.join(", ")}`);
  }
  return only.length === 0 ? all : all.filter((name) => only.includes(name));
}

/**
 * Measures one guest on all contenders, the subject first. A round boots every machine, one after the other, and then
 * gives each piece of work to one machine after the other, while the rest idle at their shells. Where only boots are
 * measured, every machine is gone before the next one starts.
 */
export async function measureGuest(
  section: Section,
  guest: Guest,
  contenders: readonly Contender[],
  plan: Plan,
): Promise<GuestResults> {
  const lanes: Lane[] = contenders.map((contender) => {
    return { contender, results: emptyResults(contender.name), session: null };
  });
  const native = NATIVE && guest.program !== null ? emptyResults("this processor") : null;
  let workloads: readonly string[] = [];
  for (const lane of lanes) if (lane.contender.rehearses) await rehearse(lane, section, guest, plan);
  for (let round = 0; round < plan.rounds; round++) {
    plan.say(`${section.title}, round ${round + 1} of ${plan.rounds}`);
    try {
      for (const lane of turn(lanes, round)) {
        if (!lane.results.failures.has("boot")) await boot(lane, guest, round, plan);
        if (plan.bootOnly) await endSession(lane);
      }
      if (workloads.length === 0 && !plan.bootOnly) workloads = choose(await listWork(lanes, plan), plan.only, section);
      for (const [index, workload] of workloads.entries()) {
        if (native !== null) await runOnHost(native, guest, workload, round, plan.scale);
        for (const lane of turn(lanes, round + index)) await runWork(lane, guest, workload, round, plan);
      }
      if (workloads.length > 0) noteMemoryAtEnd(lanes);
      for (const lane of lanes) await endSession(lane);
    } finally {
      for (const lane of lanes) await killSession(lane);
    }
  }
  const description = `${guest.description}; command line \`${guest.append}\``;
  return { ...section, description, workloads, contenders: lanes.map(({ results }) => results), native };
}

/** Lets a contender do once what it will do in a round; nothing of it counts. */
async function rehearse({ contender }: Lane, section: Section, guest: Guest, plan: Plan): Promise<void> {
  plan.say(`${section.title}, rehearsal`);
  const lane: Lane = { contender, results: emptyResults(contender.name), session: null };
  try {
    await boot(lane, guest, null, plan);
    const workloads = plan.bootOnly ? [] : choose(await listWork([lane], plan), plan.only, section);
    for (const workload of workloads) await runWork(lane, guest, workload, 0, plan);
    await endSession(lane);
  } finally {
    await killSession(lane);
  }
}

function noteMemoryAtEnd(lanes: readonly Lane[]): void {
  for (const { session, results } of lanes) {
    const memory = session?.peakMemory() ?? null;
    // After a failure the machine is a fresh one, which has not run everything.
    if (memory !== null && results.failures.size === 0) results.memoryAtEnd.push(memory);
  }
}
