// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";

/** Whether a program of the host is there; says loudly when tests that need it are skipped. */
export function hasTool(name: string, ...probe: string[]): boolean {
  const found = spawnSync(name, probe).error === undefined;
  if (!found) process.stderr.write(`SKIPPED: tests that need ${name}, which this system does not have\n`);
  return found;
}

/** Output of a program, both streams; the exit code is part of the answer. */
export function run(name: string, ...args: string[]): { code: number | null; output: string } {
  const result = spawnSync(name, args, { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
  return { code: result.status, output: `${result.stdout}${result.stderr}` };
}
