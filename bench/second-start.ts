// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Contender } from "./contenders/contender.js";
import type { Guest } from "./guest.js";
import { type Plan, reason, seconds } from "./measure.js";
import { Session } from "./session.js";

/** Boots of one image, one after the other, in milliseconds, by round. */
export interface SecondStart {
  readonly name: string;
  readonly description: string;
  readonly times: { readonly first: Map<number, number>; readonly second: Map<number, number> };
  /** Of the monitor's process; empty where unknown. */
  readonly processorTimes: { readonly first: Map<number, number>; readonly second: Map<number, number> };
  /** What went wrong, if anything; nothing is measured after that. */
  failure: string | null;
}

/**
 * Starts the same guest twice a round. Both starts of a round share a cache directory that is empty before the first,
 * so that the second one finds what the first one kept there, and no round finds what an earlier one kept.
 */
export async function measureSecondStart(
  guest: Guest,
  contender: Contender,
  plan: Pick<Plan, "rounds" | "say">,
): Promise<SecondStart> {
  const results: SecondStart = {
    name: contender.name,
    description: guest.description,
    times: { first: new Map(), second: new Map() },
    processorTimes: { first: new Map(), second: new Map() },
    failure: null,
  };
  for (let round = 0; round < plan.rounds && results.failure === null; round++) {
    plan.say(`Second start, round ${round + 1} of ${plan.rounds}`);
    const cache = await mkdtemp(join(tmpdir(), "isola-bench-"));
    try {
      for (const turn of ["first", "second"] as const) {
        const session = await Session.boot(contender, guest, { ISOLA_CACHE_DIR: cache });
        results.times[turn].set(round, session.bootTime);
        if (session.bootProcessorTime !== null) results.processorTimes[turn].set(round, session.bootProcessorTime);
        plan.say(`  ${turn} start, ${contender.name}: ${seconds(session.bootTime)}`);
        await session.end();
      }
    } catch (error) {
      results.failure = reason(error);
      plan.say(`  ${contender.name}: FAILED: ${results.failure}`);
    } finally {
      await rm(cache, { recursive: true, force: true });
    }
  }
  return results;
}
