// SPDX-License-Identifier: Apache-2.0
import type { Readable, Writable } from "node:stream";
import type { ExecEnd, ExecSession, TerminalSize } from "@isola/control";

/** Signals that are passed on, with their numbers in Linux. */
const PASSED_ON = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;
/** What still runs when the program has ended may hold its output open; this long without a byte of it, nobody waits. */
const QUIET_MS = 2000;
const SIGNALLED = 128;

/** Exit status that stands for the way a program ended, as shells have it. */
export function statusOfEnd(end: ExecEnd): number {
  return "status" in end ? end.status : SIGNALLED + end.signal;
}

/** The size of this process's terminal. */
export function terminalSize(): TerminalSize {
  return { rows: process.stdout.rows || 24, columns: process.stdout.columns || 80 };
}

/** Copies a stream of the guest to one of this process; resolves when all of it has been written, or nobody takes it. */
class Output {
  readonly done: Promise<void>;
  private lastByte = performance.now();

  constructor(
    private readonly from: Readable,
    private readonly to: Writable,
  ) {
    from.on("data", () => (this.lastByte = performance.now()));
    // A reader that goes away breaks the pipe of the program in the guest.
    to.on("error", () => from.destroy());
    from.pipe(to, { end: false });
    this.done = new Promise((resolve) => {
      from.once("close", resolve);
      from.once("end", resolve);
    });
  }

  /** Gives up a stream that stays silent. */
  async drain(): Promise<void> {
    this.lastByte = performance.now();
    const timer = setInterval(() => {
      if (this.to.writableNeedDrain) this.lastByte = performance.now();
      if (performance.now() - this.lastByte > QUIET_MS) this.from.destroy();
    }, QUIET_MS / 8);
    await this.done;
    clearInterval(timer);
    await new Promise<void>((resolve) => {
      if (this.to.destroyed) resolve();
      else this.to.write("", () => resolve());
    });
  }
}

/**
 * Joins a program in the guest with this process until it ends: output, errors, input if `input` says so, and signals, or
 * all keys if it is on a terminal. Resolves with the exit status.
 */
export async function attachProgram(session: ExecSession, input: boolean, terminal: boolean): Promise<number> {
  const outputs = [new Output(session.stdout, process.stdout)];
  if (session.stderr !== null) outputs.push(new Output(session.stderr, process.stderr));
  const raw = terminal && process.stdin.isTTY;
  const restore = () => {
    if (raw) process.stdin.setRawMode(false);
  };
  const resize = () => session.resize(terminalSize());
  const signals = Object.entries(PASSED_ON).map(([name, number]) => {
    const pass = () => session.signal(number);
    process.on(name, pass);
    return () => process.off(name, pass);
  });
  if (input) process.stdin.pipe(session.stdin);
  else session.stdin.end();
  if (raw) {
    process.on("exit", restore);
    process.stdin.setRawMode(true);
    process.stdout.on("resize", resize);
  }
  try {
    const end = await session.ended;
    for (const output of outputs) await output.drain();
    return statusOfEnd(end);
  } finally {
    for (const stop of signals) stop();
    process.stdout.off("resize", resize);
    process.off("exit", restore);
    restore();
    process.stdin.unpipe(session.stdin);
    process.stdin.pause();
    session.close();
  }
}
