// SPDX-License-Identifier: Apache-2.0
import { type CounterSpec, type CounterSpecs, type LabelledCounts, sumOf } from "@isola/base";
import { USER_NETWORK_COUNTERS, type UserNetworkCounters } from "@isola/network";
import { COUNTER_GROUPS, type MachineStatistics } from "@isola/vmm";

/** Labels shown of one counter; the rest is summed up. */
const MAX_LABELS = 8;
const NAME_COLUMN = 22;
const VALUE_COLUMN = 16;

type Values = { readonly [name: string]: number | LabelledCounts };

const grouped = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 0 });

function duration(ns: number): string {
  if (ns >= 1e9) return `${(ns / 1e9).toFixed(3)} s`;
  return ns >= 1e6 ? `${(ns / 1e6).toFixed(3)} ms` : `${(ns / 1e3).toFixed(1)} us`;
}

function size(bytes: number): string {
  if (bytes >= 2 ** 20) return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  return bytes >= 2 ** 10 ? `${(bytes / 2 ** 10).toFixed(1)} KiB` : `${bytes} B`;
}

function quantity(value: number, { unit }: CounterSpec): string {
  switch (unit) {
    case "ns":
      return duration(value);
    case "bytes":
      return size(value);
    default:
      return grouped(value);
  }
}

/** The largest first: `trap 120, decode 80, 3 more 7`. */
function labels(counts: LabelledCounts): string {
  const sorted = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .toSorted(([, a], [, b]) => b - a);
  const shown = sorted.slice(0, MAX_LABELS).map(([label, count]) => `${label} ${grouped(count)}`);
  const rest = sorted.slice(MAX_LABELS);
  if (rest.length > 0) shown.push(`${rest.length} more ${grouped(rest.reduce((sum, [, count]) => sum + count, 0))}`);
  return shown.join(", ");
}

function line(name: string, value: string, remark = ""): string {
  return `  ${name.padEnd(NAME_COLUMN)}${value.padStart(VALUE_COLUMN)}  ${remark}`.trimEnd();
}

/** One line for each counter that is not zero. */
function lines(specs: CounterSpecs, values: Values): string[] {
  return Object.entries(specs).flatMap(([name, spec]) => {
    const value = values[name] ?? 0;
    const total = typeof value === "number" ? value : sumOf(value);
    if (total === 0) return [];
    return [line(name, quantity(total, spec), typeof value === "number" ? "" : labels(value))];
  });
}

/** What follows from several counters: speed, and rates for a thousand instructions. */
function rates({ machine, vcpus }: MachineStatistics): string[] {
  const total = (pick: (vcpu: MachineStatistics["vcpus"][number]) => number) =>
    vcpus.reduce((sum, vcpu) => sum + pick(vcpu), 0);
  const instructions = total((vcpu) => vcpu.instructions);
  if (instructions === 0 || machine.hostTime === 0) return [];
  const each = (name: string, count: number) =>
    line(name, ((count * 1000) / instructions).toFixed(3), "per 1000 instructions");
  return [
    "rates",
    line(
      "speed",
      `${((instructions * 1e3) / machine.hostTime).toFixed(1)} M/s`,
      "instructions per second of host time",
    ),
    each(
      "exits",
      total((vcpu) => sumOf(vcpu.exits)),
    ),
    each(
      "traps",
      total((vcpu) => sumOf(vcpu.traps)),
    ),
    each(
      "TLB misses",
      total((vcpu) => sumOf(vcpu.tlbMisses)),
    ),
  ];
}

/** Statistics as a table for people, with those of the machine's network; counters that are zero are left out. */
export function statisticsText(statistics: MachineStatistics, nat: UserNetworkCounters | null = null): string {
  const { machine, vcpus, code, compiler, disks, networks, serial } = statistics;
  const instances: { readonly [part: string]: readonly Values[] } = {
    machine: [machine],
    vcpu: vcpus,
    code: [code],
    compiler: [compiler],
    disk: disks,
    network: networks,
    serial,
  };
  const several = new Set(["vcpu", "disk", "network", "serial"]);
  const parts = COUNTER_GROUPS.flatMap(({ part, specs }) =>
    (instances[part] ?? []).flatMap((values, i) => {
      const shown = lines(specs, values);
      return shown.length === 0 ? [] : [several.has(part) ? `${part} ${i}` : part, ...shown];
    }),
  );
  const network = nat === null ? [] : [USER_NETWORK_COUNTERS.part, ...lines(USER_NETWORK_COUNTERS.specs, nat)];
  return `${[...parts, ...network, ...rates(statistics)].join("\n")}\n`;
}
