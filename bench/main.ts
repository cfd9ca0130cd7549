// SPDX-License-Identifier: Apache-2.0
// `npm run bench`: the same guests and programs under Isola, QEMU TCG and v86, in one run.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { OperatorError } from "@isola/base";
import { killAll } from "./machine-process.js";
import { measureAll } from "./measure-all.js";
import { HELP, parseOptions } from "./options.js";
import { allFailures, report, type ReportInput } from "./report.js";

/** This file is bundled to `build/bench.mjs`. */
const root = dirname(dirname(fileURLToPath(import.meta.url)));

const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);

/** Every sample, for whoever wants to compute something else. */
function rawSamples(input: ReportInput): string {
  const plain = (_key: string, value: unknown): unknown => {
    if (value instanceof Map) return Object.fromEntries(value);
    return value instanceof Set ? [...value] : value;
  };
  return `${JSON.stringify(input, plain, 2)}\n`;
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const stop = new AbortController();
  process.on("exit", killAll);
  for (const [signal, status] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
    process.on(signal, () => {
      stop.abort(new Error("interrupted"));
      process.exit(status);
    });
  }
  const input = await measureAll(options, { root, signal: stop.signal, say });
  const booted = input.guests.every(({ contenders }) => contenders.every(({ failures }) => !failures.has("boot")));
  const whole = options.complete && input.skipped.length === 0 && booted;
  const name = options.output ?? (whole ? "docs/benchmarks.md" : "build/bench/report.md");
  const output = resolve(root, name);
  await mkdir(dirname(output), { recursive: true });
  await writeFile(output, report(input));
  await writeFile(join(root, "build", "bench", "samples.json"), rawSamples(input));
  say(`${name} is written; all samples are in build/bench/samples.json`);
  const failures = allFailures(input);
  for (const line of failures) say(`FAILED: ${line}`);
  return failures.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof OperatorError)) throw error;
  say(error.message);
  process.exitCode = error.code === "USAGE" ? 2 : 1;
}
