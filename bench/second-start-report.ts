// SPDX-License-Identifier: Apache-2.0
import { table, withRange } from "./report-table.js";
import type { SecondStart } from "./second-start.js";
import { pairedRatios, spread } from "./statistics.js";

const inSeconds = (values: ReadonlyMap<number, number>): string =>
  withRange(spread([...values.values()].map((time) => time / 1000)));

/** How many times as fast the second start is, with the range over the rounds. */
function gain({ first, second }: SecondStart["times"]): string {
  return withRange(spread(pairedRatios(second, first)));
}

/** A line for the summary. */
export function secondStartLine(results: SecondStart): string {
  const { name, times, processorTimes } = results;
  if (times.second.size === 0) return `Second start: ${name} did not start twice.`;
  const faster = `${gain(times)} times as fast as the first, ${gain(processorTimes)} by processor time`;
  return `Second start: the second start of ${name} with the same image is ${faster}.`;
}

export function secondStartSection(results: SecondStart): string {
  const { name, description, times, processorTimes } = results;
  const row = (label: string, { first, second }: SecondStart["times"]): string[] => [
    label,
    inSeconds(first),
    inSeconds(second),
    gain({ first, second }),
  ];
  return `
## Second start
${name} boots to the login prompt twice in a row, ${description}. The host keeps what it has read of the image's files;
the two starts share a cache directory that was empty before the first.

${table(["", "First, s", "Second, s", "First / second"], [row("Time", times), row("Processor time", processorTimes)])}`;
}
