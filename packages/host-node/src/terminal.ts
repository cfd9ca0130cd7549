// SPDX-License-Identifier: Apache-2.0
import type { ByteSink } from "@isola/ports";

/** Ctrl-] leaves the machine at once, as in telnet and virsh. */
const ESCAPE_BYTE = 0x1d;
/** Output that the reader has not taken yet; beyond this the machine waits. */
const MAX_QUEUED_OUTPUT = 1 << 20;

export interface TerminalEvents {
  /** Bytes from the keyboard or the pipe. */
  onInput(bytes: Uint8Array): void;
  /** Ctrl-] was pressed. */
  onEscape(): void;
}

/** The signals that end the program, with the exit status that shells give them. */
export const ENDING_SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
export type EndingSignal = keyof typeof ENDING_SIGNALS;

/**
 * Standard input and output as a serial terminal. While it is open, a TTY is in raw mode, so that every key, Ctrl-C
 * included, goes to the guest; whatever way the process ends, short of SIGKILL, the mode is put back.
 */
export class Terminal implements ByteSink {
  private readonly input = process.stdin;
  private readonly output = process.stdout;
  private pending: Uint8Array[] = [];
  private scheduled = false;
  private readerGone = false;
  private readonly restore = () => this.setRaw(false);
  private readonly onData = (chunk: Buffer) => this.receive(chunk);

  constructor(private readonly events: TerminalEvents) {}

  open(): void {
    process.on("exit", this.restore);
    this.setRaw(true);
    this.input.on("data", this.onData);
    this.input.on("error", () => {});
    // A reader that goes away (`isola run | head`) is no reason to stop the machine, nor to crash.
    this.output.on("error", () => (this.readerGone = true));
    this.input.resume();
  }

  /** Puts the terminal back. Output that is still queued leaves before the process ends. */
  close(): void {
    this.flush();
    this.input.off("data", this.onData);
    this.input.pause();
    this.input.unref?.();
    this.restore();
    process.off("exit", this.restore);
  }

  write(bytes: Uint8Array): void {
    this.pending.push(bytes.slice());
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.flush());
  }

  /** Stops reading: the machine has no room for more input. */
  holdInput(): void {
    this.input.pause();
  }

  resumeInput(): void {
    this.input.resume();
  }

  /** A promise while more output is queued than the reader takes; null when there is room. */
  congestion(): Promise<void> | null {
    if (this.readerGone || this.output.writableLength < MAX_QUEUED_OUTPUT) return null;
    return new Promise((resolve) => {
      const done = () => {
        this.output.off("drain", done);
        this.output.off("error", done);
        resolve();
      };
      this.output.on("drain", done);
      this.output.on("error", done);
    });
  }

  private flush(): void {
    this.scheduled = false;
    if (this.pending.length === 0) return;
    const bytes = Buffer.concat(this.pending);
    this.pending = [];
    if (!this.readerGone) this.output.write(bytes);
  }

  private receive(chunk: Buffer): void {
    const escape = this.input.isTTY ? chunk.indexOf(ESCAPE_BYTE) : -1;
    const bytes = escape < 0 ? chunk : chunk.subarray(0, escape);
    if (bytes.length > 0) this.events.onInput(bytes);
    if (escape >= 0) this.events.onEscape();
  }

  private setRaw(raw: boolean): void {
    if (!this.input.isTTY || this.input.isRaw === raw) return;
    try {
      this.input.setRawMode(raw);
    } catch {
      // The terminal has gone away (a closed window): there is nothing left to restore.
    }
  }
}

/**
 * Calls `end` for signals that end the program and for errors that nobody caught, so that terminals and locks are put
 * back. A second signal ends the process at once.
 *
 * @returns a function that stops listening
 */
export function onProcessEnd(end: (status: number, error: unknown) => void): () => void {
  let ended = false;
  const listeners = Object.entries(ENDING_SIGNALS).map(([signal, status]) => {
    const listener = () => {
      if (ended) process.exit(status);
      ended = true;
      end(status, null);
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  const onError = (error: unknown) => end(1, error ?? new Error("unknown error"));
  process.on("uncaughtException", onError);
  return () => {
    for (const stop of listeners) stop();
    process.off("uncaughtException", onError);
  };
}
