// SPDX-License-Identifier: Apache-2.0
import type { Contender } from "./contenders/contender.js";
import type { Guest, GuestConsole } from "./guest.js";
import { MachineProcess } from "./machine-process.js";
import { type Due, LIST_PATTERN, listedNames, markPattern } from "./marks.js";
import { peakMemory, processorTime } from "./process-usage.js";

/** One run of a piece of work. */
export interface Sample {
  /** Host time between the two marks in milliseconds. */
  readonly time: number;
  /** Processor time of the monitor's process meanwhile, in milliseconds; null where unknown. */
  readonly processorTime: number | null;
  readonly checksum: string;
  /** What was moved, if the work says so. */
  readonly amount: Amount | null;
}

/** So many `unit`s, such as "MiB". */
export interface Amount {
  readonly count: number;
  readonly unit: string;
}

function parseAmount(text: string): Amount | null {
  const match = /^(\d+) (\w+)$/.exec(text);
  return match === null ? null : { count: Number(match[1]), unit: match[2] };
}

/** The guest says that its work failed; its shell goes on. */
export class WorkFailure extends Error {
  override readonly name = "WorkFailure";
}

type Timeouts = Pick<GuestConsole["timeouts"], "prepare" | "work">;

/** Takes the time between the two marks of a piece of work; null if the machine cannot do it. */
async function observe(machine: MachineProcess, work: string, timeouts: Timeouts): Promise<Sample | null> {
  const next = async (due: Due, timeout: number) => {
    const { at, match } = await machine.expect(markPattern(due, work), timeout);
    if (match[1] === "failed") throw new WorkFailure(match[2] ?? "no reason given");
    return { at, word: match[1], rest: match[2] ?? "" };
  };
  const begin = await next("begin", timeouts.prepare);
  if (begin.word === "absent") return null;
  const before = processorTime(machine.pid);
  const end = await next("end", timeouts.work);
  const after = processorTime(machine.pid);
  return {
    time: end.at - begin.at,
    processorTime: before === null || after === null ? null : after - before,
    checksum: end.rest === "" ? (await next("sum", timeouts.prepare)).rest : end.rest,
    amount: parseAmount(begin.rest),
  };
}

/** Runs one workload of a guest's program on the host itself. Processor time is not taken: the process ends with it. */
export async function runNatively(program: string, workload: string, guest: Guest, scale: number) {
  const machine = new MachineProcess({ program, args: [String(scale), workload] });
  try {
    const sample = await observe(machine, workload, guest.console.timeouts);
    return sample === null ? null : { ...sample, processorTime: null };
  } finally {
    await machine.stop();
  }
}

/** A booted guest that waits at its shell. */
export class Session {
  private constructor(
    private readonly machine: MachineProcess,
    private readonly console: GuestConsole,
    /** Host time from the start of the process to the end of the boot, in milliseconds. */
    readonly bootTime: number,
    /** Processor time of the monitor's process until then, in milliseconds; null where unknown. */
    readonly bootProcessorTime: number | null,
  ) {}

  /**
   * Starts a machine and waits until it has booted. Rejects with what went wrong; the machine is gone then.
   * @param env is added to the environment of the monitor's process
   */
  static async boot(contender: Contender, guest: Guest, env: NodeJS.ProcessEnv = {}): Promise<Session> {
    const machine = new MachineProcess(contender.command(guest), env);
    try {
      const { at } = await machine.expect(guest.console.booted, guest.console.timeouts.boot);
      return new Session(machine, guest.console, at - machine.startedAt, processorTime(machine.pid));
    } catch (error) {
      await machine.stop();
      throw error;
    }
  }

  /** Makes the guest ready for work. */
  async setUp(): Promise<void> {
    const { prompt, setUp, timeouts } = this.console;
    if (setUp === null) return;
    await this.machine.expect(prompt, timeouts.boot);
    this.machine.type(`${setUp}\n`);
    await this.machine.expect(prompt, timeouts.boot);
  }

  /** The names of the work, as the guest knows them. */
  async list(): Promise<string[]> {
    const { list, prompt, timeouts } = this.console;
    this.machine.type(`${list}\n`);
    const { match } = await this.machine.expect(LIST_PATTERN, timeouts.shell);
    await this.machine.expect(prompt, timeouts.shell);
    return listedNames(match[1]);
  }

  /**
   * Does one piece of work; null if the machine cannot. After a rejection other than WorkFailure the session is of no
   * more use.
   */
  async run(work: string, scale: number): Promise<Sample | null> {
    const { prompt, timeouts } = this.console;
    this.machine.type(`${this.console.run(work, scale)}\n`);
    let sample: Sample | null;
    try {
      sample = await observe(this.machine, work, timeouts);
    } catch (error) {
      if (error instanceof WorkFailure) await this.machine.expect(prompt, timeouts.shell);
      throw error;
    }
    await this.machine.expect(prompt, timeouts.shell);
    return sample;
  }

  /** Peak resident memory of the monitor's process so far in MiB; null where unknown. */
  peakMemory(): number | null {
    return peakMemory(this.machine.pid);
  }

  /** Processor time of the monitor's process so far in milliseconds; null where unknown. */
  processorTime(): number | null {
    return processorTime(this.machine.pid);
  }

  /** Asks the monitor to end; resolves when its process is gone, with the end of what it wrote to standard error. */
  end(): Promise<string> {
    return this.machine.end();
  }

  /** Ends the monitor at once; resolves when its process is gone. */
  stop(): Promise<void> {
    return this.machine.stop();
  }
}
