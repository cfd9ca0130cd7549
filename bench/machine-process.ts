// SPDX-License-Identifier: Apache-2.0
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import type { Command } from "./contenders/contender.js";

/** Every machine that is still running; none may outlive this process. */
const running = new Set<ChildProcessWithoutNullStreams>();

/** Ends all machines at once. */
export function killAll(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** Something a machine was expected to print. */
export interface Sighting {
  /** Host time in milliseconds, on the scale of performance.now(). */
  readonly at: number;
  readonly match: RegExpExecArray;
}

interface Expectation {
  readonly pattern: RegExp;
  readonly found: (sighting: Sighting) => void;
  readonly failed: (error: Error) => void;
}

/** How long a machine may take to end by itself (milliseconds). */
const END_TIMEOUT = 30_000;

/** How much of the console a complaint quotes, and how much unread output is kept (characters). */
const QUOTED = 400;
const KEPT = 1 << 16;

/** A running virtual machine: its process, and its serial console as text. */
export class MachineProcess {
  /** Host time in milliseconds just before the process was made. */
  readonly startedAt: number;
  private readonly child: ChildProcessWithoutNullStreams;
  private unread = "";
  /** The end of standard error. */
  private errors = "";
  private ended: string | null = null;
  private expectation: Expectation | null = null;

  /** @param env is added to this process's environment */
  constructor(command: Command, env: NodeJS.ProcessEnv = {}) {
    this.startedAt = performance.now();
    this.child = spawn(command.program, [...command.args], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    running.add(this.child);
    this.child.stdout.on("data", (bytes: Buffer) => this.receive(bytes.toString("latin1")));
    this.child.stderr.on("data", (bytes: Buffer) => {
      this.errors = (this.errors + bytes.toString("utf8")).slice(-KEPT);
    });
    // A machine that has ended takes no more input; its end is reported by "close".
    this.child.stdin.on("error", () => {});
    this.child.on("error", (error) => this.hasEnded(error.message));
    this.child.on("close", (status, signal) => this.hasEnded(`ended with ${signal ?? `status ${status}`}`));
  }

  /** 0 if the process could not be made. */
  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Types text on the console. */
  type(text: string): void {
    this.child.stdin.write(text, "latin1");
  }

  /**
   * Waits until the console, from where the last expectation ended, shows `pattern`. Rejects if that takes more than
   * `timeout` milliseconds or the machine ends first.
   */
  expect(pattern: RegExp, timeout: number): Promise<Sighting> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.expectation = null;
        reject(new Error(`no ${pattern} within ${timeout / 1000} s; ${this.lastWords()}`));
      }, timeout);
      this.expectation = {
        pattern,
        found: (sighting) => {
          clearTimeout(timer);
          resolve(sighting);
        },
        failed: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.look();
    });
  }

  /** Ends the machine at once; resolves when its process is gone. */
  async stop(): Promise<void> {
    if (this.ended !== null) return;
    const gone = new Promise((resolve) => this.child.once("close", resolve));
    this.child.kill("SIGKILL");
    await gone;
  }

  /**
   * Asks the monitor to end, so that it can keep what it wants to keep; resolves when its process is gone, with the end
   * of what it wrote to standard error.
   */
  async end(): Promise<string> {
    if (this.ended !== null) return this.errors;
    const gone = new Promise((resolve) => this.child.once("close", resolve));
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), END_TIMEOUT);
    await gone;
    clearTimeout(timer);
    return this.errors;
  }

  private receive(text: string): void {
    this.unread = (this.unread + text).slice(-KEPT);
    this.look();
  }

  private look(): void {
    const { expectation } = this;
    if (expectation === null) return;
    const match = expectation.pattern.exec(this.unread);
    if (match) {
      this.expectation = null;
      this.unread = this.unread.slice(match.index + match[0].length);
      expectation.found({ at: performance.now(), match });
    } else if (this.ended !== null) {
      this.expectation = null;
      expectation.failed(new Error(`${this.ended}; ${this.lastWords()}`));
    }
  }

  private hasEnded(how: string): void {
    running.delete(this.child);
    this.ended ??= how;
    this.look();
  }

  private lastWords(): string {
    const console = JSON.stringify(this.unread.slice(-QUOTED).trim());
    return `console: ${console}${this.errors ? `, errors: ${JSON.stringify(this.errors.slice(-QUOTED))}` : ""}`;
  }
}
