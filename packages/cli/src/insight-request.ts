// SPDX-License-Identifier: Apache-2.0
import type { CommandLine, OptionSpecs } from "./command-line.js";
import { didYouMean } from "./suggestion.js";
import type { StatisticsFormat } from "./console-session.js";
import { UsageError } from "./usage-error.js";

/** Options that show what happens inside a machine. */
export const INSIGHT_OPTIONS: OptionSpecs = {
  stats: { value: "json", optional: true, help: "print what was counted to standard error at the end" },
};

export interface InsightRequest {
  readonly statistics: StatisticsFormat | null;
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

/** Reads those options. Throws UsageError if they make no sense. */
export function insightRequest(line: CommandLine): InsightRequest {
  return { statistics: statisticsFormat(line) };
}
