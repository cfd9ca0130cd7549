// SPDX-License-Identifier: Apache-2.0
// `npm run bench`: the same guests and programs under Isola, QEMU TCG and v86, in one run.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { OperatorError } from "@isola/base";
import type { ProgressEvent } from "@isola/images";
import { biosImages } from "./bios-images.js";
import type { Architecture, Contender, Guest } from "./contenders/contender.js";
import { isola } from "./contenders/isola.js";
import { qemu } from "./contenders/qemu.js";
import { v86 } from "./contenders/v86.js";
import { prepareGuest } from "./guest.js";
import { describeHost, hostLoad } from "./host.js";
import { killAll } from "./machine-process.js";
import { measureGuest } from "./measure.js";
import { HELP, type Options, parseOptions } from "./options.js";
import { report, type ReportInput } from "./report.js";
import { failuresOf, type GuestResults } from "./results.js";

/** This file is bundled to `build/bench.mjs`. */
const root = dirname(dirname(fileURLToPath(import.meta.url)));

const TITLES: { readonly [K in Architecture]: string } = { amd64: "64-bit guest", i386: "32-bit guest" };

const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);

/** Names each step once; a warning is passed on. */
function progressLines(): (event: ProgressEvent) => void {
  let step = "";
  return (event) => {
    if (event.warning !== undefined) say(`warning: ${event.warning}`);
    else if (event.step !== step && event.step !== "ready") say(`image: ${event.step}`);
    step = event.step;
  };
}

/** What is asked for and can run here; what cannot goes to `skipped`. */
async function chooseContenders(options: Options, skipped: string[], signal: AbortSignal) {
  const asked: Contender[] = [];
  if (options.isola) asked.push(isola(root));
  if (options.qemu) asked.push(qemu());
  if (options.v86 && options.architectures.includes("i386")) {
    asked.push(v86(root, () => biosImages(root, progressLines(), signal)));
  }
  const present: { contender: Contender; version: string }[] = [];
  for (const contender of asked) {
    const presence = await contender.presence();
    if ("version" in presence) present.push({ contender, version: presence.version });
    else skipped.push(`${contender.name}: ${presence.missing}`);
  }
  return present;
}

async function measureAll(options: Options, signal: AbortSignal): Promise<ReportInput> {
  const skipped: string[] = [];
  const present = await chooseContenders(options, skipped, signal);
  for (const line of skipped) say(`NOT MEASURED: ${line}`);
  if (present.length === 0) throw new OperatorError("NOTHING_TO_MEASURE", "no machine is left to measure");
  const date = new Date();
  const host = describeHost();
  const before = hostLoad();
  const guests: GuestResults[] = [];
  for (const architecture of options.architectures) {
    let guest: Guest;
    try {
      guest = await prepareGuest(root, architecture, progressLines(), signal);
    } catch (error) {
      if (!(error instanceof OperatorError) || error.code !== "WORKLOADS_NOT_BUILT") throw error;
      skipped.push(`${TITLES[architecture]}: ${error.message}`);
      say(`NOT MEASURED: ${TITLES[architecture]}: ${error.message}`);
      continue;
    }
    const able = present.map(({ contender }) => contender).filter((one) => one.architectures.includes(architecture));
    if (able.length > 0) guests.push(await measureGuest(TITLES[architecture], guest, able, { ...options, say }));
  }
  return {
    date,
    host: host.description,
    processors: host.processors,
    load: [before, hostLoad()],
    rounds: options.rounds,
    scale: options.scale,
    contenders: present.map(({ contender: { name, setup }, version }) => ({ name, setup, version })),
    skipped,
    guests,
  };
}

/** Every sample, for whoever wants to compute something else. */
function rawSamples(input: ReportInput): string {
  const plain = (_key: string, value: unknown): unknown => (value instanceof Map ? Object.fromEntries(value) : value);
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
  const input = await measureAll(options, stop.signal);
  const booted = input.guests.every(({ contenders }) => contenders.every(({ failures }) => !failures.has("boot")));
  const whole = options.complete && input.skipped.length === 0 && booted;
  const name = options.output ?? (whole ? "docs/benchmarks.md" : "build/bench/report.md");
  const output = resolve(root, name);
  await mkdir(dirname(output), { recursive: true });
  await writeFile(output, report(input));
  await writeFile(join(root, "build", "bench", "samples.json"), rawSamples(input));
  say(`${name} is written; all samples are in build/bench/samples.json`);
  const failures = input.guests.flatMap(failuresOf);
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
