// SPDX-License-Identifier: Apache-2.0
import { writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { FUZZ_MODES, FuzzedCpu, type FuzzMode } from "./fuzzed-cpu.js";

const INSTRUCTIONS = 3000;
const STDOUT = 1;

function mode(name: string): FuzzMode {
  const found = FUZZ_MODES.find((m) => m === name);
  if (found === undefined) throw new Error(`no mode '${name}'; there are ${FUZZ_MODES.join(" ")}`);
  return found;
}

/** Runs random programs; returns the process exit code. Output is unbuffered, for readers who may have to kill this. */
export function fuzz(args: readonly string[]): number {
  const { values } = parseArgs({
    args: [...args],
    options: {
      mode: { type: "string", multiple: true, default: [...FUZZ_MODES] },
      seed: { type: "string", default: "1" },
      count: { type: "string", default: "1000" },
      verbose: { type: "boolean", default: false },
    },
  });
  const first = Number(values.seed);
  let thrown = 0;
  for (const name of values.mode) {
    const cpu = new FuzzedCpu();
    const ends: Record<string, number> = {};
    for (let seed = first; seed < first + Number(values.count); seed++) {
      if (values.verbose) writeSync(STDOUT, `at ${name} ${seed}\n`);
      try {
        const { kind } = cpu.run(seed, mode(name), INSTRUCTIONS);
        ends[kind] = (ends[kind] ?? 0) + 1;
      } catch (error) {
        thrown++;
        writeSync(
          STDOUT,
          `${name} seed ${seed} made the host throw: ${error instanceof Error ? error.stack : error}\n`,
        );
      }
    }
    writeSync(STDOUT, `${name}: ${JSON.stringify(ends)}\n`);
  }
  return thrown === 0 ? 0 : 1;
}
