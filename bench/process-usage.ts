// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";

/** Clock ticks a second of /proc, the same on every Linux that Node runs on (proc_pid_stat(5), sysconf(3)). */
const TICKS = 100;

function read(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // The process is gone, or this is not Linux.
    return null;
  }
}

/** A process and those that it has made, as far as the kernel tells (proc_pid_task_children(5)). */
function family(pid: number): number[] {
  const children = (read(`/proc/${pid}/task/${pid}/children`) ?? "").split(" ").filter((text) => text !== "");
  return [pid, ...children.flatMap((child) => family(Number(child)))];
}

/** The sum of what is known of a process and those that it has made; null if nothing is known of the process itself. */
function sum(pid: number, of: (pid: number) => number | null): number | null {
  const own = of(pid);
  if (own === null) return null;
  return family(pid)
    .slice(1)
    .reduce((total, child) => total + (of(child) ?? 0), own);
}

/**
 * The largest resident set that a process ever had, with those of processes that it has made, in MiB (VmHWM of
 * proc_pid_status(5)); null where unknown.
 */
export function peakMemory(pid: number): number | null {
  return sum(pid, peakMemoryOfOne);
}

/**
 * Processor time of all threads of a process, and of processes that it has made and that still run, in milliseconds, 10
 * ms grain (proc_pid_stat(5)); null where unknown.
 */
export function processorTime(pid: number): number | null {
  return sum(pid, processorTimeOfOne);
}

function peakMemoryOfOne(pid: number): number | null {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1];
  return kib === undefined ? null : Number(kib) / 1024;
}

function processorTimeOfOne(pid: number): number | null {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The second field is the program's name in parentheses and may hold anything; utime and stime are 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
}
