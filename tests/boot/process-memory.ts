// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { memoryPages, RAM_BASE } from "@isola/engine";

const WASM_PAGE = 0x1_0000;
const PAGE = 4096;
/** Bit 63 of an entry of /proc/PID/pagemap: the page is in memory (Documentation/admin-guide/mm/pagemap.rst). */
const PRESENT_BYTE = 7;
const PRESENT_BIT = 0x80;
/** Clock ticks a second in /proc; Linux shows user space 100 on every x86 and arm64. */
const TICKS = 100;

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

/** Processor time of a process in seconds, user and system; null when it is gone or the host has no /proc. */
export function cpuSeconds(pid: number): number | null {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Peak resident memory of a process in bytes (VmHWM). */
export function peakResident(pid: number): number | null {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(readText(`/proc/${pid}/status`) ?? "");
  return match === null ? null : Number(match[1]) * 1024;
}

/**
 * Bytes of guest RAM that the host holds in memory for the machine that runs in process `pid`. Guest RAM is the part
 * from RAM_BASE on of the one writable mapping that is as large as the engine's linear memory.
 */
export function residentGuestRam(pid: number, ramSize: number): number | null {
  const size = memoryPages(ramSize) * WASM_PAGE;
  for (const line of (readText(`/proc/${pid}/maps`) ?? "").split("\n")) {
    const match = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
    if (match === null) continue;
    const start = Number.parseInt(match[1], 16);
    if (Number.parseInt(match[2], 16) - start !== size) continue;
    return presentBytes(pid, start + RAM_BASE, ramSize);
  }
  return null;
}

function presentBytes(pid: number, start: number, length: number): number | null {
  const entries = Buffer.alloc((length / PAGE) * 8);
  let file: number;
  try {
    file = openSync(`/proc/${pid}/pagemap`, "r");
  } catch {
    return null;
  }
  try {
    readSync(file, entries, 0, entries.length, (start / PAGE) * 8);
  } finally {
    closeSync(file);
  }
  let present = 0;
  for (let at = PRESENT_BYTE; at < entries.length; at += 8) if ((entries[at] & PRESENT_BIT) !== 0) present++;
  return present * PAGE;
}
