// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from "node:util";
import { OperatorError } from "@isola/base";
import type { Architecture } from "./contenders/contender.js";

/** An even number of rounds lets every machine go first equally often. */
const DEFAULT_ROUNDS = 4;
const DEFAULT_SCALE = 40;

export const HELP = `npm run bench -- [options]
Boots the same guests under Isola, QEMU TCG and v86, times the same programs in them, and writes docs/benchmarks.md.

  --rounds N         boots of every machine, each with one run of every workload (default ${DEFAULT_ROUNDS})
  --scale PERCENT    how much work a workload does; 100 is about half a second of QEMU (default ${DEFAULT_SCALE})
  --only NAME,...    these workloads only
  --guest NAME       amd64 or i386 only
  --boot-only        only the time to the shell
  --no-isola --no-qemu --no-v86
                     leave a machine out; ratios are against the first that is left
  --output FILE      where the report goes; a run that is shortened, or in which a machine is missing or does not boot,
                     leaves docs/benchmarks.md alone and goes to build/bench/report.md
`;

export interface Options {
  readonly help: boolean;
  readonly rounds: number;
  /** Percent. */
  readonly scale: number;
  /** Names of workloads; none means all. */
  readonly only: readonly string[];
  readonly architectures: readonly Architecture[];
  readonly bootOnly: boolean;
  readonly isola: boolean;
  readonly qemu: boolean;
  readonly v86: boolean;
  /** Whether everything is measured, as often and as long as by default. */
  readonly complete: boolean;
  /** Path of the report; null to choose it by how the run went. */
  readonly output: string | null;
}

function positive(text: string, name: string, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new OperatorError("USAGE", `--${name} ${text}: must be a whole number from 1 to ${max}`);
}

/** Reads the command line; an OperatorError says what is wrong with it. */
export function parseOptions(args: readonly string[]): Options {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      allowNegative: true,
      options: {
        help: { type: "boolean", short: "h", default: false },
        rounds: { type: "string", default: String(DEFAULT_ROUNDS) },
        scale: { type: "string", default: String(DEFAULT_SCALE) },
        only: { type: "string", default: "" },
        guest: { type: "string", default: "" },
        "boot-only": { type: "boolean", default: false },
        isola: { type: "boolean", default: true },
        qemu: { type: "boolean", default: true },
        v86: { type: "boolean", default: true },
        output: { type: "string", default: "" },
      },
    }));
  } catch (error) {
    throw new OperatorError("USAGE", error instanceof Error ? error.message : String(error), { cause: error });
  }
  const { guest, isola, qemu, v86 } = values;
  if (guest !== "" && guest !== "amd64" && guest !== "i386") {
    throw new OperatorError("USAGE", `--guest ${guest}: there are amd64 and i386`);
  }
  const only = values.only.split(",").filter((name) => name !== "");
  const bootOnly = values["boot-only"];
  if (bootOnly && only.length > 0) throw new OperatorError("USAGE", "--boot-only and --only exclude each other");
  const rounds = positive(values.rounds, "rounds", 100);
  const scale = positive(values.scale, "scale", 10_000);
  const shortened = rounds < DEFAULT_ROUNDS || scale < DEFAULT_SCALE;
  return {
    help: values.help,
    rounds,
    scale,
    only,
    architectures: guest === "" ? ["amd64", "i386"] : [guest],
    bootOnly,
    isola,
    qemu,
    v86,
    complete: isola && qemu && v86 && guest === "" && only.length === 0 && !bootOnly && !shortened,
    output: values.output || null,
  };
}
