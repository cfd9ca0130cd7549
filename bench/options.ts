// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from "node:util";
import { OperatorError } from "@isola/base";

/** What can be measured: a busybox shell in memory by architecture, disks and network of one, and Debian on a disk. */
export type GuestName = "amd64" | "i386" | "io" | "debian";
export const GUEST_NAMES: readonly GuestName[] = ["amd64", "i386", "io", "debian"];

/** An even number of rounds lets every machine go first equally often. */
const DEFAULT_ROUNDS = 4;
const DEFAULT_SCALE = 100;
const DEFAULT_PROGRAM_SCALE = 100;
const QUICK = { rounds: 1, scale: 10, programScale: 15 };

export const HELP = `npm run bench -- [options]
Boots the same guests under Isola, QEMU TCG and v86, times the same programs in them, and writes docs/benchmarks.md.

  --rounds N         boots of every machine, each with one run of everything (default ${DEFAULT_ROUNDS})
  --scale PERCENT    how much work a workload does; 100 is about half a second of QEMU (default ${DEFAULT_SCALE})
  --program-scale PERCENT
                     how much work a program does; 100 is some seconds of QEMU (default ${DEFAULT_PROGRAM_SCALE})
  --quick            one round of little work: --rounds ${QUICK.rounds} --scale ${QUICK.scale} --program-scale ${QUICK.programScale}, unless these are given
  --only NAME,...    these workloads and programs only
  --guest NAME       one guest only: ${GUEST_NAMES.join(", ")}
  --boot-only        only the time to the shell, or to the login prompt
  --second-start     also how much faster Isola starts debian:12 for the second time
  --no-first-start   only Isola as it is when it has run the same guest before
  --no-isola --no-qemu --no-v86
                     leave a machine out; ratios are against the first that is left
  --browser          also Isola in a tab of Chromium
  --output FILE      where the report goes; a run that is shortened, or in which a machine is missing or does not boot,
                     leaves docs/benchmarks.md alone and goes to build/bench/report.md
`;

export interface Options {
  readonly help: boolean;
  readonly rounds: number;
  /** Of workloads and of programs, percent. */
  readonly scale: number;
  readonly programScale: number;
  /** Names of workloads and programs; none means all. */
  readonly only: readonly string[];
  readonly guests: readonly GuestName[];
  readonly bootOnly: boolean;
  readonly secondStart: boolean;
  /** Isola without what it keeps of earlier starts is measured as well. */
  readonly firstStart: boolean;
  readonly isola: boolean;
  readonly qemu: boolean;
  /** Also in a browser. */
  readonly browser: boolean;
  readonly v86: boolean;
  /** Whether everything is measured, as often and as long as by default. */
  readonly complete: boolean;
  /** Path of the report; null to choose it by how the run went. */
  readonly output: string | null;
}

function positive(text: string | undefined, name: string, max: number, otherwise: number): number {
  if (text === undefined) return otherwise;
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
        rounds: { type: "string" },
        scale: { type: "string" },
        "program-scale": { type: "string" },
        quick: { type: "boolean", default: false },
        only: { type: "string", default: "" },
        guest: { type: "string", default: "" },
        "boot-only": { type: "boolean", default: false },
        "second-start": { type: "boolean", default: false },
        "first-start": { type: "boolean", default: true },
        isola: { type: "boolean", default: true },
        qemu: { type: "boolean", default: true },
        browser: { type: "boolean", default: false },
        v86: { type: "boolean", default: true },
        output: { type: "string", default: "" },
      },
    }));
  } catch (error) {
    throw new OperatorError("USAGE", error instanceof Error ? error.message : String(error), { cause: error });
  }
  const { isola, qemu, v86, browser } = values;
  const guests = GUEST_NAMES.filter((name) => values.guest === "" || name === values.guest);
  if (guests.length === 0) {
    throw new OperatorError("USAGE", `--guest ${values.guest}: there are ${GUEST_NAMES.join(", ")}`);
  }
  const only = values.only.split(",").filter((name) => name !== "");
  const bootOnly = values["boot-only"];
  if (bootOnly && only.length > 0) throw new OperatorError("USAGE", "--boot-only and --only exclude each other");
  const secondStart = values["second-start"];
  if (secondStart && !isola) throw new OperatorError("USAGE", "--second-start measures Isola; leave --no-isola out");
  const usual = { rounds: DEFAULT_ROUNDS, scale: DEFAULT_SCALE, programScale: DEFAULT_PROGRAM_SCALE };
  const defaults = values.quick ? QUICK : usual;
  const rounds = positive(values.rounds, "rounds", 100, defaults.rounds);
  const scale = positive(values.scale, "scale", 10_000, defaults.scale);
  const programScale = positive(values["program-scale"], "program-scale", 10_000, defaults.programScale);
  const shortened = rounds < usual.rounds || scale < usual.scale || programScale < usual.programScale;
  const everything = guests.length === GUEST_NAMES.length && only.length === 0 && !bootOnly;
  return {
    help: values.help,
    rounds,
    scale,
    programScale,
    only,
    guests,
    bootOnly,
    secondStart,
    firstStart: values["first-start"],
    isola,
    qemu,
    v86,
    browser,
    complete: isola && values["first-start"] && qemu && v86 && everything && !shortened,
    output: values.output || null,
  };
}
