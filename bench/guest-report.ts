// SPDX-License-Identifier: Apache-2.0
// What the report says of one guest: its tables and its lines of the summary.
import { FIRST_START } from "./contenders/isola.js";
import { mean, plain, table, whole, withRange } from "./report-table.js";
import { amountOf, type ContenderResults, disagreement, type GuestResults, processorTimes, times } from "./results.js";
import { median, pairedRatios, type Spread, spread } from "./statistics.js";

/** Median ratios of one piece of work by the name of the peer, by host time and by processor time. */
interface Ratios {
  readonly byTime: ReadonlyMap<string, number>;
  readonly byProcessorTime: ReadonlyMap<string, number>;
}

/** The row of one piece of work. `worst` is the smallest median ratio, by which rows are sorted; null if it does not count. */
interface WorkRow extends Ratios {
  readonly cells: readonly string[];
  readonly worst: number | null;
}

const thousandth = (values: ReadonlyMap<number, number>): number[] => [...values.values()].map((value) => value / 1000);
const inSeconds = (values: ReadonlyMap<number, number>): string => withRange(spread(thousandth(values)));

/** Programs take seconds, other work takes milliseconds. */
const takesSeconds = ({ work }: GuestResults): boolean => work === "program";
const unit = (guest: GuestResults): string => (takesSeconds(guest) ? "s" : "ms");
/** Whether processor times are shown beside times: a workload computes all the time. */
const showsProcessorTime = ({ work }: GuestResults): boolean => work !== "workload";
const HEADS: { readonly [K in GuestResults["work"]]: string } = {
  workload: "Workload",
  transfer: "Transfer",
  program: "Program",
};

function timeCell(guest: GuestResults, results: ContenderResults, work: string): string {
  if (results.failures.has(work) || results.failures.has("boot")) return "failed";
  if (results.absent.has(work)) return "absent";
  const measured = times(results, work);
  return takesSeconds(guest) ? inSeconds(measured) : withRange(spread([...measured.values()]), whole);
}

/** A time as what is moved in it: MiB in a second, or microseconds for one. */
function rateCell(guest: GuestResults, results: ContenderResults, work: string): string {
  const amount = amountOf(guest, work);
  const measured = [...times(results, work).values()];
  if (amount === null || measured.length === 0) return "–";
  const { count, unit } = amount;
  if (unit === "MiB") return `${withRange(spread(measured.map((time) => (1000 * count) / time)), whole)} MiB/s`;
  return `${withRange(spread(measured.map((time) => (1000 * time) / count)), plain)} µs`;
}

/** A processor time in the unit of the section. */
function processorCell(guest: GuestResults, results: ContenderResults, work: string): string {
  const measured = processorTimes(results, work);
  return takesSeconds(guest) ? inSeconds(measured) : withRange(spread([...measured.values()]), whole);
}

function workRow(guest: GuestResults, work: string): WorkRow {
  const { contenders, native } = guest;
  const [subject, ...peers] = contenders;
  const wrong = disagreement(guest, work) !== null;
  const byTime = new Map<string, number>();
  const byProcessorTime = new Map<string, number>();
  const ratioCells: string[] = [];
  const processorCells = contenders.map((one) => processorCell(guest, one, work));
  for (const peer of peers) {
    const ratio = spread(pairedRatios(times(subject, work), times(peer, work)));
    const processor = spread(pairedRatios(processorTimes(subject, work), processorTimes(peer, work)));
    if (ratio && !wrong) byTime.set(peer.name, ratio.median);
    if (processor && !wrong) byProcessorTime.set(peer.name, processor.median);
    ratioCells.push(wrong ? "checksums differ" : withRange(ratio));
    processorCells.push(wrong ? "checksums differ" : withRange(processor));
  }
  const cells = [
    work,
    ...(native === null ? [] : [timeCell(guest, native, work)]),
    ...(guest.work === "transfer" ? contenders.map((one) => rateCell(guest, one, work)) : []),
    ...contenders.map((one) => timeCell(guest, one, work)),
    ...ratioCells,
    ...(showsProcessorTime(guest) ? processorCells : []),
  ];
  return { cells, byTime, byProcessorTime, worst: byTime.size > 0 ? Math.min(...byTime.values()) : null };
}

/** The table of all work: what cannot be compared comes first, then what is slowest. */
export function workTable(guest: GuestResults): string {
  const { contenders, native, work } = guest;
  const [subject, ...peers] = contenders;
  const rows = guest.workloads.map((name) => workRow(guest, name));
  rows.sort((a, b) => (a.worst ?? -1) - (b.worst ?? -1));
  const ratios = peers.map(({ name }) => `${name} / ${subject.name}`);
  const head = [
    HEADS[work],
    ...(native === null ? [] : [`${native.name}, ${unit(guest)}`]),
    ...(work === "transfer" ? contenders.map(({ name }) => name) : []),
    ...contenders.map(({ name }) => `${name}, ${unit(guest)}`),
    ...ratios,
    ...(showsProcessorTime(guest) ? contenders.map(({ name }) => `${name}, processor ${unit(guest)}`) : []),
    ...(showsProcessorTime(guest) ? ratios.map((ratio) => `${ratio}, processor time`) : []),
  ];
  return table(
    head,
    rows.map(({ cells }) => cells),
  );
}

/** Processor time in percent of host time, of all samples. */
function processorShare({ samples }: ContenderResults): number[] {
  return [...samples.values()]
    .flatMap((rounds) => [...rounds.values()])
    .flatMap(({ time, processorTime }) => (processorTime === null ? [] : [(100 * processorTime) / time]));
}

/** The table of boots and memory; the columns about work are left out where there was none. */
export function bootTable(guest: GuestResults): string {
  const [subject] = guest.contenders;
  const works = guest.workloads.length > 0;
  const tells = guest.contenders.some(({ translationShares }) => translationShares.length > 0);
  const share = (one: ContenderResults): string =>
    processorShare(one).length === 0 ? "–" : whole(median(processorShare(one)));
  const against = (own: ReadonlyMap<number, number>, peer: ReadonlyMap<number, number>): Spread | null =>
    spread(pairedRatios(own, peer));
  return table(
    [
      "Machine",
      `Boot to ${guest.booted}, s`,
      `Against ${subject.name}`,
      "Boot by processor time, s",
      `Against ${subject.name}`,
      `Peak memory at the ${guest.booted}, MiB`,
      ...(works ? [`... after all ${guest.work}s, MiB`, "Processor time / time, %"] : []),
      ...(tells ? ["Translation / processor time, %"] : []),
    ],
    guest.contenders.map((one) => [
      one.name,
      one.failures.has("boot") ? "failed" : inSeconds(one.boots),
      one === subject ? "" : withRange(against(subject.boots, one.boots)),
      inSeconds(one.bootProcessorTimes),
      one === subject ? "" : withRange(against(subject.bootProcessorTimes, one.bootProcessorTimes)),
      withRange(spread(one.memoryAtShell), whole),
      ...(works ? [withRange(spread(one.memoryAtEnd), whole), share(one)] : []),
      ...(tells ? [withRange(spread(one.translationShares), whole)] : []),
    ]),
  );
}

export const SUMMARY_HEAD: readonly string[] = [
  "Guest",
  "Against",
  "Work, geometric mean",
  "... by processor time",
  "Slower in",
  "Worst",
  "Best",
  "Boot",
  "... by processor time",
];

/** One line of the summary for each peer; and the same for the first start of the subject, if it was measured. */
export function summaryRows(guest: GuestResults): string[][] {
  const [, second, ...others] = guest.contenders;
  const rows = rowsOfSubject(guest);
  if (second?.name !== FIRST_START) return rows;
  const first = { ...guest, title: `${guest.title}, first start`, contenders: [second, ...others] };
  return [...rows, ...rowsOfSubject(first)];
}

function rowsOfSubject(guest: GuestResults): string[][] {
  const [subject, ...peers] = guest.contenders;
  const rows = guest.workloads.map((name) => ({ name, ...workRow(guest, name) }));
  return peers.map((peer) => {
    const counted = rows.flatMap(({ name, byTime }) => {
      const ratio = byTime.get(peer.name);
      return ratio === undefined ? [] : [{ name, ratio }];
    });
    counted.sort((a, b) => a.ratio - b.ratio);
    const named = (one: (typeof counted)[number] | undefined): string =>
      one === undefined ? "–" : `${one.name} ${plain(one.ratio)}`;
    const slower = counted.filter(({ ratio }) => ratio < 1).length;
    return [
      guest.title,
      peer.name,
      mean(counted.map(({ ratio }) => ratio)),
      mean(rows.flatMap(({ byProcessorTime }) => byProcessorTime.get(peer.name) ?? [])),
      counted.length === 0 ? "–" : `${slower} of ${counted.length}`,
      named(counted[0]),
      named(counted.at(-1)),
      withRange(spread(pairedRatios(subject.boots, peer.boots))),
      withRange(spread(pairedRatios(subject.bootProcessorTimes, peer.bootProcessorTimes))),
    ];
  });
}

/** Below this a time on the host itself says more about pipes than about the work (milliseconds). */
const SHORTEST_NATIVE = 10;

/** How many times longer than on the host itself the work takes, as a geometric mean; null where unknown. */
export function slowdown(guest: GuestResults): string | null {
  const [subject] = guest.contenders;
  const { native } = guest;
  if (native === null) return null;
  const ratios = guest.workloads.flatMap((work) => {
    const ratio = spread(pairedRatios(times(native, work), times(subject, work)));
    const long = median([...times(native, work).values()]) >= SHORTEST_NATIVE;
    return ratio === null || !long || disagreement(guest, work) !== null ? [] : [ratio.median];
  });
  if (ratios.length === 0) return null;
  return `${guest.title}: ${subject.name} takes ${mean(ratios)} times as long as the host itself (geometric mean).`;
}
