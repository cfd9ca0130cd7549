// SPDX-License-Identifier: Apache-2.0
// Command line of the oracle runner. See README.md.
import { parseArgs } from "node:util";
import { EngineTarget } from "./engine-target.js";
import { NativeHarness } from "./native-harness.js";
import { readVectorBytes, recordedPath } from "./recorded-files.js";
import { RecordedTarget } from "./recorded-target.js";
import { replay, report, type ReplayOptions } from "./replay.js";
import { FAMILIES, VectorFile, type Family, type Vector } from "./vector-file.js";
import type { VectorTarget } from "./vector-target.js";

const USAGE = `usage: run [FILE...] [options]
  FILE                vector files (.vec or .vec.gz); without any, fresh vectors are recorded on this CPU, or the
                      recorded set is used where that is impossible
  --target NAME       what to test: engine (default) or recorded, which tests the runner itself
  --count N           vectors per mode to record (default 100000)
  --seed N            seed of the recording (default: from the clock, printed)
  --mode 64|32        only one mode
  --family NAME       only this family (repeatable): ${FAMILIES.join(" ")}
  --name TEXT         only instructions whose name contains TEXT
  --strict            compare faults that depend on the CPU model, too
  --show N            mismatches to describe in full (default 20)`;

interface Selection {
  readonly families: readonly Family[];
  readonly name: string;
}

function makeTarget(name: string, bytes: Uint8Array): VectorTarget {
  switch (name) {
    case "engine":
      return new EngineTarget();
    case "recorded":
      return new RecordedTarget(new VectorFile(bytes));
    default:
      throw new Error(`no target '${name}'`);
  }
}

function selector(selection: Selection): (vector: Vector) => boolean {
  const families = new Set(selection.families);
  return (vector) =>
    (families.size === 0 || families.has(vector.row.family)) && vector.row.name.includes(selection.name);
}

function family(name: string): Family {
  const found = FAMILIES.find((f) => f === name);
  if (found === undefined) throw new Error(`no family '${name}'; they are: ${FAMILIES.join(" ")}`);
  return found;
}

interface Source {
  readonly label: string;
  readonly bytes: Uint8Array;
}

function* freshSources(
  modes: readonly (32 | 64)[],
  seed: number,
  count: number,
  families: readonly Family[],
): Generator<Source> {
  const harness = NativeHarness.build();
  if (typeof harness === "string") {
    process.stdout.write(`recorded vectors only: ${harness}\n`);
    for (const mode of modes) yield { label: `recorded, ${mode}-bit`, bytes: readVectorBytes(recordedPath(mode)) };
    return;
  }
  for (const mode of modes)
    yield { label: `seed ${seed}, ${mode}-bit`, bytes: harness.generate({ mode, seed, count, families }) };
}

function* fileSources(paths: readonly string[]): Generator<Source> {
  for (const path of paths) yield { label: path, bytes: readVectorBytes(path) };
}

/** Runs the command; returns the process exit code. */
export function run(args: readonly string[]): number {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      target: { type: "string", default: "engine" },
      count: { type: "string", default: "100000" },
      seed: { type: "string" },
      mode: { type: "string" },
      family: { type: "string", multiple: true, default: [] },
      name: { type: "string", default: "" },
      show: { type: "string", default: "20" },
      strict: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const families = values.family.map(family);
  const modes =
    values.mode === undefined ? ([64, 32] as const) : values.mode === "64" ? ([64] as const) : ([32] as const);
  const seed = Number(values.seed ?? Date.now() % 1_000_000_007);
  const sources =
    positionals.length > 0 ? fileSources(positionals) : freshSources(modes, seed, Number(values.count), families);
  const options: ReplayOptions = {
    select: selector({ families, name: values.name }),
    strict: values.strict,
    describe: Number(values.show),
  };
  let bad = 0;
  for (const { label, bytes } of sources) {
    const started = performance.now();
    const result = replay(new VectorFile(bytes), makeTarget(values.target, bytes), options);
    const seconds = (performance.now() - started) / 1000;
    process.stdout.write(
      `${label}: ${report(result)}\n  ${seconds.toFixed(1)} s, ${Math.round(result.run / seconds)} vectors/s\n`,
    );
    bad += result.bad;
  }
  return bad === 0 ? 0 : 1;
}
