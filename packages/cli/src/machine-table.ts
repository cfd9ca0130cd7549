// SPDX-License-Identifier: Apache-2.0
import type { MachineSummary } from "@isola/control";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function uptime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < MINUTE) return `${seconds}s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)}m${seconds % MINUTE}s`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)}h${Math.floor((seconds % HOUR) / MINUTE)}m`;
  return `${Math.floor(seconds / DAY)}d${Math.floor((seconds % DAY) / HOUR)}h`;
}

/** Running machines as a table, one a line. */
export function machineTable(machines: readonly MachineSummary[], now: number): string {
  const rows = [
    ["NAME", "STATE", "MACHINE", "MEMORY", "CPUS", "UPTIME", "SOURCE"],
    ...machines.map(({ name, state, machine, memory, cpus, startedAt, source }) => [
      name,
      state,
      machine,
      `${memory / 2 ** 20}M`,
      String(cpus),
      uptime(now - startedAt),
      source,
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
