// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdirSync, type WriteStream } from "node:fs";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import type { CheckContext } from "./check.js";
import { CheckFailure } from "./check.js";
import { cpuSeconds } from "./process-memory.js";

/** Far beyond what anything here takes on the slowest machine; it only has to end before a CI job does. */
export const LIMIT_SECONDS = 900;

const children = new Set<ChildProcess>();
// Whatever way this process ends, its machines end with it.
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));

export interface IsolaOptions {
  /** Name of the log file. */
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Gets everything that arrives on standard output, before anybody who waits for it looks. */
  readonly onOutput?: (text: string) => void;
}

export interface IsolaResult {
  /** Exit status, or null when a signal ended the process. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Everything on standard output that {@link IsolaProcess.expect} has not taken. */
  readonly output: string;
  readonly errors: string;
  /** Processor time in seconds, up to the last look at it. */
  readonly cpu: number;
}

/** The command line under test in a process of its own: its output is searched, logged, and its input is written. */
export class IsolaProcess {
  private readonly child: ChildProcess;
  private readonly log: WriteStream;
  private buffer = "";
  private errors = "";
  private cpu = 0;
  private ended: { status: number | null; signal: NodeJS.Signals | null } | null = null;
  /** Called whenever output arrives or the process ends. */
  private readonly waiting = new Set<() => void>();

  constructor(context: CheckContext, { name, args, env, onOutput }: IsolaOptions) {
    mkdirSync(context.logs, { recursive: true });
    this.log = createWriteStream(join(context.logs, `${name}.log`));
    this.log.write(`$ isola ${args.join(" ")}\n`);
    const child = spawn(process.execPath, [...process.execArgv, join(context.root, "build/isola.mjs"), ...args], {
      cwd: context.scratch,
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    this.child = child;
    children.add(child);
    const decoder = new StringDecoder("utf8");
    child.stdout.on("data", (bytes: Buffer) => {
      const text = decoder.write(bytes);
      this.buffer += text;
      onOutput?.(text);
      this.received(bytes);
    });
    child.stderr.on("data", (bytes: Buffer) => {
      this.errors += bytes.toString();
      this.received(bytes);
    });
    // A machine that has ended does not read any more; its status tells the rest.
    child.stdin.on("error", () => {});
    const look = setInterval(() => {
      this.cpu = cpuSeconds(this.pid) ?? this.cpu;
    }, 250);
    child.on("error", (error) => (this.errors += error.message));
    child.on("close", (status, signal) => {
      clearInterval(look);
      children.delete(child);
      this.ended = { status, signal };
      this.log.end(`\n[status ${status}, signal ${signal}, ${this.cpu.toFixed(1)} s of processor time]\n`);
      for (const wake of this.waiting) wake();
    });
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** Types into the first serial port. */
  send(text: string): void {
    this.child.stdin?.write(text);
  }

  endInput(): void {
    this.child.stdin?.end();
  }

  /** Waits until `pattern` matches what standard output has shown since the last match, and takes that away. */
  async expect(pattern: RegExp, seconds: number = LIMIT_SECONDS): Promise<RegExpExecArray> {
    const found = await this.until(
      () => pattern.exec(this.buffer),
      () => `${pattern} did not appear`,
      seconds,
    );
    this.buffer = this.buffer.slice(found.index + found[0].length);
    return found;
  }

  /** Waits for the end of the process. */
  async result(seconds: number = LIMIT_SECONDS): Promise<IsolaResult> {
    const ended = await this.until(
      () => this.ended,
      () => "the process did not end",
      seconds,
      true,
    );
    return { ...ended, output: this.buffer, errors: this.errors, cpu: this.cpu };
  }

  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    this.child.kill(signal);
  }

  /**
   * Waits until `probe`, which is asked whenever there is output, returns something.
   * @param complaint what is said if it never does
   * @param mayEnd whether the process may end meanwhile
   */
  until<T>(
    probe: () => T | null,
    complaint: () => string,
    seconds: number = LIMIT_SECONDS,
    mayEnd = false,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        settle();
      };
      const fail = (why: string) =>
        finish(() =>
          reject(new CheckFailure(`${why}; the output ends with:\n${lastLines(this.buffer + this.errors)}`)),
        );
      const wake = () => {
        const found = probe();
        if (found !== null) finish(() => resolve(found));
        else if (this.ended !== null && !mayEnd) fail(`${complaint()} before the end (status ${this.ended.status})`);
      };
      const timer = setTimeout(() => fail(`${complaint()} within ${seconds} s`), seconds * 1000);
      this.waiting.add(wake);
      wake();
    });
  }

  private received(bytes: Buffer): void {
    this.log.write(bytes);
    for (const wake of this.waiting) wake();
  }
}

function lastLines(text: string): string {
  return text
    .trimEnd()
    .split(/\r?\n/)
    .slice(-15)
    .map((line) => `    ${line}`)
    .join("\n");
}

/** Runs the command line to its end without input. */
export async function isola(context: CheckContext, options: IsolaOptions): Promise<IsolaResult> {
  const child = new IsolaProcess(context, options);
  child.endInput();
  try {
    return await child.result();
  } finally {
    child.kill();
  }
}
