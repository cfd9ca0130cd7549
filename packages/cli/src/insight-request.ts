// SPDX-License-Identifier: Apache-2.0
import type { CommandLine, OptionSpecs } from "./command-line.js";
import { parseInteger } from "./size.js";
import { didYouMean } from "./suggestion.js";
import { UsageError } from "./usage-error.js";

/** Options that show what happens inside a machine. */
export const INSIGHT_OPTIONS: OptionSpecs = {
  trace: { value: "FILE", help: "write what happens to a file for Perfetto or chrome://tracing" },
  profile: { value: "FILE", help: "write a flame graph (SVG) of the guest's functions, and their stacks beside it" },
  symbols: { value: "FILE[@ADDRESS]", many: true, help: "symbols for --profile: ELF, System.map, /proc/kallsyms" },
  "profile-rate": { value: "HZ", help: "samples a second of host time for --profile (default 1000)" },
  stats: { value: "json", optional: true, help: "print what was counted to standard error at the end" },
};

/** How counters are printed. */
export type StatisticsFormat = "text" | "json";

/** A file with symbols of a program in the guest. */
export interface SymbolFile {
  readonly path: string;
  /** What is added to the addresses in the file. */
  readonly base: bigint;
}

/** A profile of the guest. */
export interface ProfileRequest {
  /** File for the flame graph. */
  readonly graph: string;
  /** File for the stacks as text. */
  readonly stacks: string;
  /** Host time in ns between two samples. */
  readonly period: number;
  readonly symbols: readonly SymbolFile[];
}

/** What the operator wants to see of a machine. */
export interface InsightRequest {
  /** Counters on standard error at the end, whatever that is; null for silence. */
  readonly statistics: StatisticsFormat | null;
  /** File for a trace; null for none. */
  readonly trace: string | null;
  readonly profile: ProfileRequest | null;
}

function statisticsFormat(line: CommandLine): StatisticsFormat | null {
  const format = line.get("stats");
  if (format === undefined) return null;
  if (format === "") return "text";
  if (format === "json") return "json";
  throw new UsageError(
    `--stats: there is no "${format}"${didYouMean(format, ["json"]) || "; write --stats or --stats=json"}`,
  );
}

function fileOption(line: CommandLine, option: string): string | null {
  const file = line.get(option);
  if (file === "") throw new UsageError(`--${option} needs the name of a file`);
  return file ?? null;
}

const DEFAULT_RATE = 1000;
/** Beyond this, taking samples takes longer than what they sample. */
const MAX_RATE = 20_000;

function symbolFile(text: string): SymbolFile {
  const at = text.lastIndexOf("@");
  if (at < 0) return { path: text, base: 0n };
  const address = text.slice(at + 1);
  if (!/^(0x[0-9a-f]{1,16}|\d{1,19})$/i.test(address))
    throw new UsageError(`--symbols: "${address}" is no address; write for example FILE@0x555555554000`);
  return { path: text.slice(0, at), base: BigInt(address) };
}

function profileRequest(line: CommandLine): ProfileRequest | null {
  const file = fileOption(line, "profile");
  if (file === null) {
    for (const option of ["symbols", "profile-rate"])
      if (line.has(option)) throw new UsageError(`--${option} needs --profile`);
    return null;
  }
  const rate = parseInteger(line.get("profile-rate") ?? String(DEFAULT_RATE), "--profile-rate", 1, MAX_RATE);
  const name = file.replace(/\.svg$/i, "");
  return {
    graph: `${name}.svg`,
    stacks: `${name}.collapsed`,
    period: 1e9 / rate,
    symbols: line.all("symbols").map(symbolFile),
  };
}

/** Reads those options. Throws UsageError if they make no sense. */
export function insightRequest(line: CommandLine): InsightRequest {
  return {
    statistics: statisticsFormat(line),
    trace: fileOption(line, "trace"),
    profile: profileRequest(line),
  };
}
