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
  --count N           vectors to record, half of them 64-bit (default 1040000, of which some are dropped)
  --seed N            seed of the recording (default: from the clock, printed)
  --mode 64|32        only one mode
  --family NAME       only this family (repeatable): ${FAMILIES.join(" ")}
  --name TEXT         only instructions whose name contains TEXT
  --strict            compare faults that depend on the CPU model, too
  --show N            mismatches to describe in full (default 20)`;

/** Vectors are recorded in pieces, the next one while the last one is replayed. */
const PIECE = 130_000;

interface Source {
  readonly label: string;
  readonly bytes: Uint8Array;
}

interface Recording {
  readonly modes: readonly (32 | 64)[];
  readonly seed: number;
  readonly count: number;
  readonly families: readonly Family[];
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

function family(name: string): Family {
  const found = FAMILIES.find((f) => f === name);
  if (found === undefined) throw new Error(`no family '${name}'; they are: ${FAMILIES.join(" ")}`);
  return found;
}

async function* freshSources({ modes, seed, count, families }: Recording): AsyncGenerator<Source> {
  const harness = NativeHarness.build();
  if (typeof harness === "string") {
    process.stdout.write(`only the recorded vectors: ${harness}\n`);
    for (const mode of modes) yield { label: `recorded, ${mode}-bit`, bytes: readVectorBytes(recordedPath(mode)) };
    return;
  }
  const perMode = Math.ceil(count / modes.length);
  const pieces = modes.flatMap((mode) =>
    Array.from({ length: Math.ceil(perMode / PIECE) }, (_, i) => ({
      mode,
      seed: seed + i,
      count: Math.min(PIECE, perMode - i * PIECE),
      families,
    })),
  );
  let next = pieces[0] && harness.generate(pieces[0]);
  for (const [i, piece] of pieces.entries()) {
    const bytes = await next;
    next = pieces[i + 1] && harness.generate(pieces[i + 1]);
    if (bytes) yield { label: `seed ${piece.seed}, ${piece.mode}-bit`, bytes };
  }
}

function* fileSources(paths: readonly string[]): Generator<Source> {
  for (const path of paths) yield { label: path, bytes: readVectorBytes(path) };
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      target: { type: "string", default: "engine" },
      count: { type: "string", default: "1040000" },
      seed: { type: "string" },
      mode: { type: "string" },
      family: { type: "string", multiple: true, default: [] },
      name: { type: "string", default: "" },
      strict: { type: "boolean", default: false },
      show: { type: "string", default: "20" },
      help: { type: "boolean", default: false },
    },
  });
}

/** Runs the command; returns the process exit code: 0 without a mismatch. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(args);
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const families = values.family.length > 0 ? values.family.map(family) : FAMILIES;
  const select = (vector: Vector): boolean =>
    families.includes(vector.row.family) && vector.row.name.includes(values.name);
  const options: ReplayOptions = { select, strict: values.strict, describe: Number(values.show) };
  const modes =
    values.mode === undefined ? ([64, 32] as const) : values.mode === "64" ? ([64] as const) : ([32] as const);
  const seed = Number(values.seed ?? Date.now() % 1_000_000_007);
  const recording = { modes, seed, count: Number(values.count), families };
  let all = 0;
  let bad = 0;
  for await (const { label, bytes } of positionals.length > 0 ? fileSources(positionals) : freshSources(recording)) {
    const target = makeTarget(values.target, bytes);
    const started = performance.now();
    const result = replay(new VectorFile(bytes), target, options);
    const rate = Math.round(result.run / ((performance.now() - started) / 1000));
    process.stdout.write(`${label}, ${rate} vectors/s: ${report(result)}\n`);
    all += result.run;
    bad += result.bad;
  }
  process.stdout.write(`${all} instructions compared, ${bad} differ\n`);
  return bad === 0 ? 0 : 1;
}
