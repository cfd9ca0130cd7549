// SPDX-License-Identifier: Apache-2.0
import { bootTable, slowdown, SUMMARY_HEAD, summaryRows, workTable } from "./guest-report.js";
import { METHOD } from "./method.js";
import { table } from "./report-table.js";
import { failuresOf, type GuestResults } from "./results.js";
import { secondStartLine, secondStartSection } from "./second-start-report.js";
import type { SecondStart } from "./second-start.js";

/** What a report is made from. */
export interface ReportInput {
  readonly date: Date;
  readonly host: string;
  /** Load average before and after, and the number of processors that carry it. */
  readonly load: readonly [number, number];
  readonly processors: number;
  readonly rounds: number;
  /** Of workloads and of programs, percent. */
  readonly scale: number;
  readonly programScale: number;
  /** Contenders that ran: name, version, set-up. The subject comes first. */
  readonly contenders: readonly { readonly name: string; readonly version: string; readonly setup: string }[];
  /** Contenders and guests that are left out, and why. */
  readonly skipped: readonly string[];
  readonly guests: readonly GuestResults[];
  /** Null if it was not measured. */
  readonly secondStart: SecondStart | null;
}

/** Everything that went wrong, a line each. */
export function allFailures({ guests, secondStart }: ReportInput): string[] {
  const failure = secondStart?.failure ?? null;
  return [...guests.flatMap(failuresOf), ...(failure === null ? [] : [`Second start: ${failure}`])];
}

function facts({ contenders, guests, host, load, ...input }: ReportInput): string {
  const rounds = `${input.rounds} round${input.rounds === 1 ? "" : "s"}`;
  const rows = [
    ["Host", host],
    ["Load average of the host", `${load[0].toFixed(1)} before, ${load[1].toFixed(1)} after`],
    ["Run", `${rounds}, workloads at ${input.scale} %, programs at ${input.programScale} %`],
    ...contenders.map(({ name, version, setup }) => [name, `${version}; ${setup}`]),
    ...guests.map(({ title, description }) => [title, description]),
  ];
  return table(["", ""], rows).replace("---:", "---");
}

/** The report as Markdown. What is slower stands first in every table. */
export function report(input: ReportInput): string {
  const { contenders, guests, load, secondStart } = input;
  const subject = contenders[0].name;
  const failures = allFailures(input);
  let text = `# Benchmarks
Written by \`npm run bench\` on ${input.date.toISOString().slice(0, 10)}; run it to get your own numbers. A **ratio** is
the peer's time divided by ${subject}'s, so above 1 ${subject} is faster and below 1 it is slower. Figures are medians, with
the range over the rounds in brackets; ratios are taken round by round.

${facts(input)}
`;
  // One processor for the machine that runs, and some for what measures and for the machines that idle.
  if (load[0] > input.processors || load[1] > 2 * input.processors) {
    text += "**The host was busy with other things**, so that times are long and scattered: figures by processor time ";
    text += "say more than those by host time.\n\n";
  }
  for (const skipped of input.skipped) text += `**Left out:** ${skipped}.\n\n`;
  text += `## Summary\n${table(SUMMARY_HEAD, guests.flatMap(summaryRows))}`;
  const lines = guests.map(slowdown).filter((line) => line !== null);
  if (secondStart !== null) lines.push(secondStartLine(secondStart));
  if (lines.length > 0) text += `\n${lines.join("\n")}\n`;
  if (failures.length > 0) {
    text += `\n## Failures\nRows that failed count in no mean.\n\n${failures.map((line) => `- ${line}\n`).join("")}`;
  }
  for (const guest of guests) {
    text += `\n## ${guest.title}\n${bootTable(guest)}`;
    if (guest.workloads.length > 0) text += `\n${workTable(guest)}`;
  }
  if (secondStart !== null) text += secondStartSection(secondStart);
  return text + METHOD;
}
