// SPDX-License-Identifier: Apache-2.0
import { prepareBusybox } from "../../bench/busybox-guest.js";
import { browser } from "../../bench/contenders/browser.js";
import { isola } from "../../bench/contenders/isola.js";
import { killAll } from "../../bench/machine-process.js";
import { Session } from "../../bench/session.js";
import { geometricMean } from "../../bench/statistics.js";
import { OperatorError } from "../../packages/base/src/index.js";
import { type Check, type CheckContext, ensure, Skip } from "../boot/check.js";

/** What a tab has to reach of Node's speed, as a geometric mean. */
const SHARE = 0.8;
/** Work whose time is the kernel's or the devices'; the rest is the processor's. */
const NOT_PROCESSOR: readonly string[] = ["syscall", "fork", "page-fault", "ping-pong", "file"];
/** The host may be busy with other things: the best of some rounds counts, and there are more if they do not do. */
const ROUNDS = 2;
const MAX_ROUNDS = 6;

async function guestOrSkip(root: string) {
  try {
    return await prepareBusybox(root, "amd64", () => {}, new AbortController().signal);
  } catch (error) {
    if (error instanceof OperatorError) throw new Skip(error.message);
    throw error;
  }
}

type Best = Map<string, number>;

async function oneRound(session: Session, works: readonly string[], best: Best): Promise<void> {
  for (const work of works) {
    const sample = await session.run(work, 100);
    if (sample !== null) best.set(work, Math.min(best.get(work) ?? Infinity, sample.time));
  }
}

async function compare(context: CheckContext): Promise<void> {
  const guest = await guestOrSkip(context.root);
  const inTab = browser(context.root);
  const presence = await inTab.presence();
  if ("missing" in presence) throw new Skip(presence.missing);
  const tab = await Session.boot(inTab, guest);
  const node = await Session.boot(isola(context.root, "off"), guest);
  const works = (await node.list()).filter((work) => !NOT_PROCESSOR.includes(work));
  const [tabBest, nodeBest]: [Best, Best] = [new Map(), new Map()];
  let share = 0;
  for (let round = 1; round <= MAX_ROUNDS && (round <= ROUNDS || share < SHARE); round++) {
    for (const work of works) {
      await oneRound(tab, [work], tabBest);
      await oneRound(node, [work], nodeBest);
    }
    share = geometricMean(works.map((work) => (nodeBest.get(work) ?? NaN) / (tabBest.get(work) ?? NaN)));
    context.note(`${round} rounds of ${works.length} workloads: ${share.toFixed(2)} of Node's speed`);
  }
  const slowest = works
    .map((work) => [work, (nodeBest.get(work) ?? NaN) / (tabBest.get(work) ?? NaN)] as const)
    .toSorted(([, a], [, b]) => a - b)
    .slice(0, 3);
  context.note(`slowest: ${slowest.map(([work, ratio]) => `${work} ${ratio.toFixed(2)}`).join(", ")}`);
  ensure(share >= SHARE, `the processor runs at ${share.toFixed(2)} of Node's speed in a tab; ${SHARE} is the limit`);
}

/** The workloads of the benchmark in a tab and in Node, in turn. */
export const speedInTab: Check = {
  name: "browser-speed",
  async run(context) {
    try {
      await compare(context);
    } finally {
      killAll();
    }
  },
};
