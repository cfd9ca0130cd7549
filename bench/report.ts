// SPDX-License-Identifier: Apache-2.0
import {
  type ContenderResults,
  disagreement,
  failuresOf,
  type GuestResults,
  processorTimes,
  times,
} from "./results.js";
import { geometricMean, median, pairedRatios, type Spread, spread } from "./statistics.js";

/** What a report is made from. */
export interface ReportInput {
  readonly date: Date;
  readonly host: string;
  /** Load average before and after, and the number of processors that carry it. */
  readonly load: readonly [number, number];
  readonly processors: number;
  readonly rounds: number;
  /** Percent. */
  readonly scale: number;
  /** Contenders that ran: name, version, set-up. The subject comes first. */
  readonly contenders: readonly { readonly name: string; readonly version: string; readonly setup: string }[];
  /** Contenders and guests that are left out, and why. */
  readonly skipped: readonly string[];
  readonly guests: readonly GuestResults[];
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |\n`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  row(head) + row(head.map((_, i) => (i === 0 ? "---" : "---:"))) + rows.map(row).join("");

const plain = (value: number): string => value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);

function withRange(values: Spread | null, format: (value: number) => string = plain): string {
  if (values === null) return "–";
  const { median: middle, min, max, count } = values;
  return count === 1 ? format(middle) : `${format(middle)} (${format(min)}–${format(max)})`;
}

/** Median ratios of one workload by the name of the peer, by host time and by processor time. */
interface Ratios {
  readonly byTime: ReadonlyMap<string, number>;
  readonly byProcessorTime: ReadonlyMap<string, number>;
}

/** One workload's row. `worst` is the smallest median ratio, by which rows are sorted; null if the row does not count. */
interface WorkloadRow extends Ratios {
  readonly cells: readonly string[];
  readonly worst: number | null;
}

const whole = (value: number): string => value.toFixed(0);

function timeCell(results: ContenderResults, workload: string): string {
  if (results.failures.has(workload) || results.failures.has("boot")) return "failed";
  return withRange(spread([...times(results, workload).values()]), whole);
}

function workloadRow(guest: GuestResults, workload: string): WorkloadRow {
  const { contenders, native } = guest;
  const [subject, ...peers] = contenders;
  const wrong = disagreement(guest, workload) !== null;
  const byTime = new Map<string, number>();
  const byProcessorTime = new Map<string, number>();
  const cells = [workload];
  if (native !== null) cells.push(timeCell(native, workload));
  for (const one of contenders) cells.push(timeCell(one, workload));
  for (const peer of peers) {
    const ratio = spread(pairedRatios(times(subject, workload), times(peer, workload)));
    const processor = spread(pairedRatios(processorTimes(subject, workload), processorTimes(peer, workload)));
    if (ratio && !wrong) byTime.set(peer.name, ratio.median);
    if (processor && !wrong) byProcessorTime.set(peer.name, processor.median);
    cells.push(wrong ? "checksums differ" : withRange(ratio));
  }
  return { cells, byTime, byProcessorTime, worst: byTime.size > 0 ? Math.min(...byTime.values()) : null };
}

function workloadTable(guest: GuestResults): string {
  const { contenders, native } = guest;
  const [subject, ...peers] = contenders;
  const rows = guest.workloads.map((workload) => workloadRow(guest, workload));
  // What cannot be compared comes first, then what is slowest.
  rows.sort((a, b) => (a.worst ?? -1) - (b.worst ?? -1));
  const head = [
    "Workload",
    ...(native === null ? [] : [`${native.name}, ms`]),
    ...contenders.map(({ name }) => `${name}, ms`),
    ...peers.map(({ name }) => `${name} / ${subject.name}`),
  ];
  return table(
    head,
    rows.map(({ cells }) => cells),
  );
}

function bootTable(guest: GuestResults): string {
  const [subject] = guest.contenders;
  const inSeconds = (boots: ReadonlyMap<number, number>): Spread | null =>
    spread([...boots.values()].map((time) => time / 1000));
  const share = ({ samples }: ContenderResults): number[] =>
    [...samples.values()]
      .flatMap((rounds) => [...rounds.values()])
      .flatMap(({ time, processorTime }) => (processorTime === null ? [] : [(100 * processorTime) / time]));
  return table(
    [
      "Machine",
      "Boot to shell, s",
      `Against ${subject.name}`,
      "Boot by processor time, s",
      `Against ${subject.name}`,
      "Peak memory at the shell, MiB",
      "... after all workloads, MiB",
      "Processor time / time, %",
    ],
    guest.contenders.map((one) => [
      one.name,
      one.failures.has("boot") ? "failed" : withRange(inSeconds(one.boots)),
      one === subject ? "" : withRange(spread(pairedRatios(subject.boots, one.boots))),
      withRange(inSeconds(one.bootProcessorTimes)),
      one === subject ? "" : withRange(spread(pairedRatios(subject.bootProcessorTimes, one.bootProcessorTimes))),
      withRange(spread(one.memoryAtShell), whole),
      withRange(spread(one.memoryAtEnd), whole),
      share(one).length === 0 ? "–" : whole(median(share(one))),
    ]),
  );
}

const mean = (ratios: readonly number[]): string => (ratios.length === 0 ? "–" : plain(geometricMean(ratios)));

function summaryRows(guest: GuestResults): string[][] {
  const [subject, ...peers] = guest.contenders;
  const rows = guest.workloads.map((workload) => ({ workload, ...workloadRow(guest, workload) }));
  return peers.map((peer) => {
    const counted = rows.flatMap(({ workload, byTime }) => {
      const ratio = byTime.get(peer.name);
      return ratio === undefined ? [] : [{ workload, ratio }];
    });
    counted.sort((a, b) => a.ratio - b.ratio);
    const named = (one: (typeof counted)[number] | undefined): string =>
      one === undefined ? "–" : `${one.workload} ${plain(one.ratio)}`;
    const slower = counted.filter(({ ratio }) => ratio < 1).length;
    return [
      guest.title,
      peer.name,
      mean(counted.map(({ ratio }) => ratio)),
      mean(rows.flatMap(({ byProcessorTime }) => byProcessorTime.get(peer.name) ?? [])),
      `${slower} of ${counted.length}`,
      named(counted[0]),
      named(counted.at(-1)),
      withRange(spread(pairedRatios(subject.boots, peer.boots))),
    ];
  });
}

/** Below this a time on the host itself says more about pipes than about the work (milliseconds). */
const SHORTEST_NATIVE = 10;

/** How many times longer than on the host itself the workloads take, as a geometric mean; null where unknown. */
function slowdown(guest: GuestResults): string | null {
  const [subject] = guest.contenders;
  const { native } = guest;
  if (native === null) return null;
  const ratios = guest.workloads.flatMap((workload) => {
    const ratio = spread(pairedRatios(times(native, workload), times(subject, workload)));
    const long = median([...times(native, workload).values()]) >= SHORTEST_NATIVE;
    return ratio === null || !long || disagreement(guest, workload) !== null ? [] : [ratio.median];
  });
  if (ratios.length === 0) return null;
  return `${guest.title}: ${subject.name} takes ${mean(ratios)} times as long as the host itself (geometric mean).`;
}

/** The report as Markdown. What is slower stands first in every table. */
export function report(input: ReportInput): string {
  const { contenders, guests, load } = input;
  const subject = contenders[0].name;
  const failures = guests.flatMap(failuresOf);
  const rounds = `${input.rounds} round${input.rounds === 1 ? "" : "s"}, workloads at ${input.scale} %`;
  let text = `# Benchmarks
Written by \`npm run bench\` on ${input.date.toISOString().slice(0, 10)}; run it to get your own numbers. A **ratio** is
the peer's time divided by ${subject}'s, so above 1 ${subject} is faster and below 1 it is slower. Figures are medians, with
the range over the rounds in brackets; ratios are taken round by round.

`;
  const facts = [
    ["Host", input.host],
    ["Load average of the host", `${load[0].toFixed(1)} before, ${load[1].toFixed(1)} after`],
    ["Run", rounds],
    ...contenders.map(({ name, version, setup }) => [name, `${version}; ${setup}`]),
    ...guests.map(({ title, description }) => [title, description]),
  ];
  text += `${table(["", ""], facts).replace("---:", "---")}\n`;
  // One processor for the machine that runs, and some for what measures and for the machines that idle.
  if (load[0] > input.processors || load[1] > 2 * input.processors) {
    text += "**The host was busy with other things**, so that times are long and scattered: figures by processor time ";
    text += "say more than those by host time.\n\n";
  }
  for (const skipped of input.skipped) text += `**Left out:** ${skipped}.\n\n`;
  text += "## Summary\n";
  text += table(
    [
      "Guest",
      "Against",
      "Workloads, geometric mean",
      "... by processor time",
      "Slower in",
      "Worst",
      "Best",
      "Boot to shell",
    ],
    guests.flatMap(summaryRows),
  );
  const slowdowns = guests.map(slowdown).filter((line) => line !== null);
  if (slowdowns.length > 0) text += `\n${slowdowns.join("\n")}\n`;
  if (failures.length > 0) {
    text += `\n## Failures\nRows that failed count in no mean.\n\n${failures.map((line) => `- ${line}\n`).join("")}`;
  }
  for (const guest of guests) {
    text += `\n## ${guest.title}\n${bootTable(guest)}`;
    if (guest.workloads.length > 0) text += `\n${workloadTable(guest)}`;
  }
  return text + METHOD;
}

const METHOD = `
## Method
- All machines get the same kernel, initramfs, command line, one processor and 256 MiB. \`mitigations=off\` is there
  because a kernel chooses mitigations by the processor model it sees, and the models differ.
- *Boot to shell* is host time from the start of the monitor's process to the prompt of the guest's shell. Nothing else
  runs but machines of the same round that wait at their prompts.
- A workload prints a line before and after its work; the time is host time between the arrivals of the two lines on
  the serial console. The guest's clock is not asked. Each machine runs each workload once a round, on a machine
  booted for that round, so warming up is included. The order of the machines alternates.
- A workload prints a checksum of what it computed; where machines disagree, the row fails.
- *Peak memory* is the largest resident set of the monitor's process (\`VmHWM\`), guest memory included.
- *By processor time*: the same ratios from the processor time of the monitor's process, all threads, which other
  programs on the host disturb less. *Processor time / time* is the median over all workloads: below 100 the host was
  busy with other things, or the monitor waited; above 100 the monitor used a second processor.
- *This processor* is the same program run on the host itself; for the last five workloads (\`syscall\` to \`file\`)
  that is the host's kernel, so the column says little there. Its checksums must agree too.
- The C library chooses among its string functions by the processor's features, so \`copy\` and \`strings\` need not
  execute the same instructions everywhere.
- Sources: \`bench/\`, workloads in \`bench/guest/\`.
`;
