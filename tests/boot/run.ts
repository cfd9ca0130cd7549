// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { badArchives } from "./bad-archive.js";
import { badInput } from "./bad-input.js";
import { busyboxBoots } from "./busybox-boots.js";
import { type Check, CheckFailure, Skip } from "./check.js";
import { debianBoots } from "./debian-boots.js";
import { flatGuests } from "./flat-guests.js";

const CHECKS: readonly Check[] = [...badInput, ...badArchives, ...flatGuests, ...busyboxBoots, ...debianBoots];
const SKIPPED = 77;

function describe(error: unknown): string {
  if (error instanceof CheckFailure) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Runs the checks whose names begin with one of `names`, or all of them; returns the exit status. */
export async function run(root: string, names: readonly string[]): Promise<number> {
  const chosen = CHECKS.filter(({ name }) => names.length === 0 || names.some((start) => name.startsWith(start)));
  if (chosen.length === 0) {
    process.stderr.write(`no such check; there are ${CHECKS.map(({ name }) => name).join(", ")}\n`);
    return 2;
  }
  const tally = { ok: 0, FAILED: 0, SKIPPED: 0 };
  for (const check of chosen) {
    const scratch = mkdtempSync(join(tmpdir(), "isola-boot-"));
    const notes: string[] = [];
    const context = {
      root,
      scratch,
      logs: join(root, "build/boot-logs"),
      note: (line: string) => void notes.push(line),
    };
    const start = performance.now();
    let verdict: keyof typeof tally = "ok";
    try {
      await check.run(context);
    } catch (error) {
      verdict = error instanceof Skip ? "SKIPPED" : "FAILED";
      notes.push(describe(error));
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
    tally[verdict]++;
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    process.stdout.write(
      `  ${verdict} ${check.name} (${seconds} s)\n${notes.map((note) => `      ${note}\n`).join("")}`,
    );
  }
  process.stdout.write(`  ${tally.ok} passed, ${tally.FAILED} failed, ${tally.SKIPPED} skipped\n`);
  return tally.FAILED > 0 ? 1 : tally.SKIPPED > 0 ? SKIPPED : 0;
}
