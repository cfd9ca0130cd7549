// SPDX-License-Identifier: Apache-2.0
import type { CheckContext } from "./check.js";
import { ensure, ensureEqual } from "./check.js";
import type { IsolaProcess } from "./isola-process.js";
import { peakResident, residentGuestRam } from "./process-memory.js";

const MIB = 1 << 20;
/** What a machine may take beside the guest RAM that was touched. */
const OVERHEAD_LIMIT = 400 * MIB;

/** A shell on the console of a running machine. */
export class GuestShell {
  /** @param machine shows a prompt, and nothing has been typed yet */
  constructor(private readonly machine: IsolaProcess) {}

  /**
   * Runs one line of shell and returns what it wrote. The words that frame the output are typed in two parts, so that
   * the echo of the line, however the terminal breaks it, is never taken for them.
   */
  async run(line: string): Promise<{ status: number; output: string }> {
    this.machine.send(`echo "<""<"; ${line}; echo "<$?>"\n`);
    await this.machine.expect(/<<\r?\n/);
    const found = await this.machine.expect(/([^]*?)<(\d+)>\r?\n/);
    return { status: Number(found[2]), output: found[1].replaceAll("\r\n", "\n") };
  }

  /** As {@link run}, for a line that must end with status 0; returns its output without the last line break. */
  async must(line: string): Promise<string> {
    const { status, output } = await this.run(line);
    ensure(status === 0, `in the guest, "${line}" ended with status ${status}:\n${output}`);
    return output.trimEnd();
  }

  /** Checks the number of processors that are online. */
  async ensureCpus(cpus: number): Promise<void> {
    ensureEqual(await this.must("grep -c ^processor /proc/cpuinfo"), String(cpus), "the number of processors");
  }
}

/**
 * Compares the peak memory of the process with the guest RAM that the host holds for it: the difference is what the
 * machine costs. Guest RAM never shrinks, so the measure is exact at the end and before it too low at worst by what the
 * guest touched later.
 */
export function ensureMemory(context: CheckContext, machine: IsolaProcess, ramSize: number): void {
  const peak = peakResident(machine.pid);
  const ram = residentGuestRam(machine.pid, ramSize);
  if (peak === null || ram === null) {
    context.note("peak memory: not measured, this host has no /proc/PID/pagemap");
    return;
  }
  const mib = (bytes: number) => `${(bytes / MIB).toFixed(0)} MiB`;
  context.note(`peak memory ${mib(peak)}, of which guest RAM ${mib(ram)}: ${mib(peak - ram)} for the machine`);
  ensure(
    peak - ram <= OVERHEAD_LIMIT,
    `the machine takes ${mib(peak - ram)} beside guest RAM, and ${mib(OVERHEAD_LIMIT)} is the limit`,
  );
}

/** Types `line`, which switches the machine off, and waits for the process to end with status 0. */
export async function ensureEnds(context: CheckContext, machine: IsolaProcess, line: string): Promise<void> {
  machine.send(`${line}\n`);
  const { status, errors, cpu } = await machine.result();
  context.note(`${cpu.toFixed(1)} s of processor time`);
  ensureEqual(status, 0, `the exit status after "${line}" (${errors.trim()})`);
}
