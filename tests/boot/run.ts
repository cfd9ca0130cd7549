// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { badArchives } from "./bad-archive.js";
import { badInput } from "./bad-input.js";
import { busyboxBoots } from "./busybox-boots.js";
import { type Check, CheckFailure, Skip } from "./check.js";
import { debianBoots } from "./debian-boots.js";
import { diskImages } from "./disk-images.js";
import { flatGuests } from "./flat-guests.js";
import { insight } from "./insight.js";
import { networkBoots } from "./network-boot.js";
import { pcBoots } from "./pc-boots.js";

/** The longest first, so that they do not run alone at the end. */
const CHECKS: readonly Check[] = [
  ...debianBoots,
  ...networkBoots,
  ...pcBoots,
  ...busyboxBoots,
  ...diskImages,
  insight,
  ...badInput,
  ...badArchives,
  ...flatGuests,
];
/** Checks that run side by side. */
const MAX_MACHINES = 2;
const SKIPPED = 77;

type Verdict = "ok" | "FAILED" | "SKIPPED";

function describe(error: unknown): string {
  if (error instanceof CheckFailure) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Runs one check and prints its report; returns what became of it. */
async function runCheck(root: string, check: Check): Promise<Verdict> {
  const scratch = mkdtempSync(join(tmpdir(), "isola-boot-"));
  const notes: string[] = [];
  const start = performance.now();
  let verdict: Verdict = "ok";
  try {
    await check.run({ root, scratch, logs: join(root, "build/boot-logs"), note: (line) => void notes.push(line) });
  } catch (error) {
    verdict = error instanceof Skip ? "SKIPPED" : "FAILED";
    notes.push(describe(error));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const report = notes.map((note) => `      ${note}\n`).join("");
  process.stdout.write(`  ${verdict} ${check.name} (${seconds} s)\n${report}`);
  return verdict;
}

/** Runs the checks whose names begin with one of `names`, or all of them; returns the exit status. */
export async function run(root: string, names: readonly string[]): Promise<number> {
  const chosen = CHECKS.filter(({ name }) => names.length === 0 || names.some((start) => name.startsWith(start)));
  if (chosen.length === 0) {
    process.stderr.write(`no such check; there are ${CHECKS.map(({ name }) => name).join(", ")}\n`);
    return 2;
  }
  const tally: { [K in Verdict]: number } = { ok: 0, FAILED: 0, SKIPPED: 0 };
  const queue = [...chosen];
  const work = async () => {
    for (let check = queue.shift(); check !== undefined; check = queue.shift()) tally[await runCheck(root, check)]++;
  };
  // A machine keeps one processor busy.
  await Promise.all(Array.from({ length: Math.min(MAX_MACHINES, availableParallelism()) }, work));
  process.stdout.write(`  ${tally.ok} passed, ${tally.FAILED} failed, ${tally.SKIPPED} skipped\n`);
  return tally.FAILED > 0 ? 1 : tally.SKIPPED > 0 ? SKIPPED : 0;
}
