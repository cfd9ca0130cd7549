// SPDX-License-Identifier: Apache-2.0
import type { CommandLine, OptionSpecs } from "./command-line.js";
import { didYouMean } from "./suggestion.js";
import { UsageError } from "./usage-error.js";

/** Options that show what happens inside a machine. */
export const INSIGHT_OPTIONS: OptionSpecs = {
  trace: { value: "FILE", help: "write what happens to a file for Perfetto or chrome://tracing" },
  stats: { value: "json", optional: true, help: "print what was counted to standard error at the end" },
};

/** How counters are printed. */
export type StatisticsFormat = "text" | "json";

/** What the operator wants to see of a machine. */
export interface InsightRequest {
  /** Counters on standard error at the end, whatever that is; null for silence. */
  readonly statistics: StatisticsFormat | null;
  /** File for a trace; null for none. */
  readonly trace: string | null;
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

/** Reads those options. Throws UsageError if they make no sense. */
export function insightRequest(line: CommandLine): InsightRequest {
  return { statistics: statisticsFormat(line), trace: fileOption(line, "trace") };
}
