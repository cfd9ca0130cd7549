// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Check, CheckFailure, Skip } from "./check.js";

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

/**
 * Runs the checks whose names begin with one of `names`, or all that do not take minutes; returns the exit status.
 * @param lanes how many run side by side
 */
export async function runChecks(
  root: string,
  checks: readonly Check[],
  names: readonly string[],
  lanes: number,
): Promise<number> {
  const chosen = checks.filter(({ name, slow }) =>
    names.length === 0 ? slow !== true : names.some((start) => name.startsWith(start)),
  );
  if (chosen.length === 0) {
    process.stderr.write(`no such check; there are ${checks.map(({ name }) => name).join(", ")}\n`);
    return 2;
  }
  const tally: { [K in Verdict]: number } = { ok: 0, FAILED: 0, SKIPPED: 0 };
  const queue = [...chosen];
  const work = async () => {
    for (let check = queue.shift(); check !== undefined; check = queue.shift()) tally[await runCheck(root, check)]++;
  };
  await Promise.all(Array.from({ length: lanes }, work));
  process.stdout.write(`  ${tally.ok} passed, ${tally.FAILED} failed, ${tally.SKIPPED} skipped\n`);
  return tally.FAILED > 0 ? 1 : tally.SKIPPED > 0 ? SKIPPED : 0;
}
