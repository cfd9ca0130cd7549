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

/** The largest resident set that process ever had, in MiB (VmHWM of proc_pid_status(5)); null where unknown. */
export function peakMemory(pid: number): number | null {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1];
  return kib === undefined ? null : Number(kib) / 1024;
}

/** Processor time of all threads of a process in milliseconds, 10 ms grain (proc_pid_stat(5)); null where unknown. */
export function processorTime(pid: number): number | null {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The second field is the program's name in parentheses and may hold anything; utime and stime are 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
}
