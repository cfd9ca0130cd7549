// SPDX-License-Identifier: Apache-2.0
import type { Contender, Guest } from "./contenders/contender.js";
import { MachineProcess } from "./machine-process.js";
import { peakMemory, processorTime } from "./process-usage.js";

/** Longest waits in milliseconds. */
const BOOT_TIMEOUT = 180_000;
const WORKLOAD_TIMEOUT = 120_000;
const SHELL_TIMEOUT = 20_000;

/** The prompt of busybox's shell, which asks the terminal for its cursor after it. */
const PROMPT = /[~/]\S* # (?:.\[6n)?$/;

/** One run of a workload. */
export interface Sample {
  /** Host time between the two marks in milliseconds. */
  readonly time: number;
  /** Processor time of the monitor's process meanwhile, in milliseconds; null where unknown. */
  readonly processorTime: number | null;
  readonly checksum: string;
}

/** Takes the time between a workload's two marks. */
async function observe(machine: MachineProcess, workload: string): Promise<Sample> {
  const begin = await machine.expect(new RegExp(`^@begin ${workload}\r?\n`, "m"), SHELL_TIMEOUT);
  const before = processorTime(machine.pid);
  const end = await machine.expect(new RegExp(`^@end ${workload} ([0-9a-f]+)\r?\n`, "m"), WORKLOAD_TIMEOUT);
  const after = processorTime(machine.pid);
  return {
    time: end.at - begin.at,
    processorTime: before === null || after === null ? null : after - before,
    checksum: end.match[1],
  };
}

/** Runs one workload of a guest's program on the host itself. Processor time is not taken: the process ends with it. */
export async function runNatively(program: string, workload: string, scale: number): Promise<Sample> {
  const machine = new MachineProcess({ program, args: [String(scale), workload] });
  try {
    return { ...(await observe(machine, workload)), processorTime: null };
  } finally {
    await machine.stop();
  }
}

/** A booted guest that waits at its shell. */
export class Session {
  private constructor(
    private readonly machine: MachineProcess,
    /** Host time from the start of the process to the prompt, in milliseconds. */
    readonly bootTime: number,
    /** Processor time of the monitor's process until then, in milliseconds; null where unknown. */
    readonly bootProcessorTime: number | null,
  ) {}

  /** Starts a machine and waits for the shell. Rejects with what went wrong; the machine is gone then. */
  static async boot(contender: Contender, guest: Guest): Promise<Session> {
    const machine = new MachineProcess(contender.command(guest));
    try {
      const { at } = await machine.expect(PROMPT, BOOT_TIMEOUT);
      return new Session(machine, at - machine.startedAt, processorTime(machine.pid));
    } catch (error) {
      await machine.stop();
      throw error;
    }
  }

  /** The names of the workloads, as the guest's program knows them. */
  async workloads(): Promise<string[]> {
    this.machine.type("bench list\n");
    const { match } = await this.machine.expect(/^@list((?: \S+)*)\r?\n/m, SHELL_TIMEOUT);
    await this.machine.expect(PROMPT, SHELL_TIMEOUT);
    return match[1].trim().split(" ");
  }

  /** Runs one workload. After a rejection the session is of no more use. */
  async run(workload: string, scale: number): Promise<Sample> {
    this.machine.type(`bench ${scale} ${workload}\n`);
    const sample = await observe(this.machine, workload);
    await this.machine.expect(PROMPT, SHELL_TIMEOUT);
    return sample;
  }

  /** Peak resident memory of the monitor's process so far in MiB; null where unknown. */
  peakMemory(): number | null {
    return peakMemory(this.machine.pid);
  }

  stop(): Promise<void> {
    return this.machine.stop();
  }
}
