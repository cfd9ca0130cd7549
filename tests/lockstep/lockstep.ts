// SPDX-License-Identifier: Apache-2.0
import { writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { Differ, type Divergence } from "./differ.js";
import { type GuestProgram, listing } from "./guest-program.js";
import { POLICIES } from "./policies.js";
import { generateProgram } from "./program-generator.js";
import { shrink } from "./shrink.js";

/** Programs that one set of engines runs, so that their caches see many programs but do not grow for ever. */
const PROGRAMS_PER_ENGINE = 100;
const STDOUT = 1;

const say = (text: string): void => void writeSync(STDOUT, `${text}\n`);

/** Runs random programs with and without the region compiler. Returns the process exit code. */
export function lockstep(args: readonly string[]): number {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string", default: "1" },
      seconds: { type: "string", default: "20" },
      count: { type: "string" },
      policy: { type: "string", multiple: true, default: POLICIES.map(({ name }) => name) },
      verbose: { type: "boolean", default: false },
    },
  });
  const first = Number(values.seed);
  const end = performance.now() + Number(values.seconds) * 1000;
  const last = values.count === undefined ? Number.POSITIVE_INFINITY : first + Number(values.count);
  const policies = POLICIES.filter(({ name }) => values.policy.includes(name));
  let differ = new Differ(policies);
  let seed = first;
  for (; seed < last && performance.now() < end; seed++) {
    if ((seed - first) % PROGRAMS_PER_ENGINE === PROGRAMS_PER_ENGINE - 1) differ = new Differ(policies);
    if (values.verbose) say(`at seed ${seed}`);
    const program = generateProgram(seed);
    const divergence = differ.run(program);
    if (divergence === null) continue;
    say(`seed ${seed}: ${describe(divergence)}`);
    report(program, divergence);
    return 1;
  }
  say(`${seed - first} programs without a difference`);
  if (values.verbose) say(`${JSON.stringify(differ.statistics)}\n${differ.describeTranslators()}`);
  return 0;
}

function describe({ policy, run, found }: Divergence): string {
  return `"${policy.name}" differs after run ${run}:\n  ${found.slice(0, 12).join("\n  ")}`;
}

/** Prints the smallest program that still shows a difference, on fresh engines. */
function report(program: GuestProgram, { policy }: Divergence): void {
  const attempt = (candidate: GuestProgram): Divergence | null => new Differ([policy]).run(candidate);
  if (attempt(program) === null) {
    say("fresh engines agree: the programs before this one matter");
    return;
  }
  const small = shrink(program, (candidate) => attempt(candidate) !== null);
  const divergence = attempt(small);
  say(listing(small));
  if (divergence !== null) say(describe(divergence));
}
