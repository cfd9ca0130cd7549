// SPDX-License-Identifier: Apache-2.0
import type { ByteSink } from "@isola/ports";
import { LogFile } from "./log-file.js";

/** Where the operator sees and types at the console of a machine; `Terminal` is one. */
export interface OperatorConsole extends ByteSink {
  open(): void;
  close(): void;
  /** Stops and restarts input: the machine has no room for more. */
  holdInput(): void;
  resumeInput(): void;
  /** A promise while more output is queued than the reader takes; null when there is room. */
  congestion(): Promise<void> | null;
}

/** The console of a machine in the background: a log, and nobody who types. */
export class LogConsole implements OperatorConsole {
  private readonly log: LogFile;

  /** Throws OperatorError if the file cannot be made. */
  constructor(path: string) {
    this.log = new LogFile(path);
  }

  open(): void {}

  close(): void {}

  holdInput(): void {}

  resumeInput(): void {}

  congestion(): null {
    return null;
  }

  write(bytes: Uint8Array): void {
    this.log.write(bytes);
  }
}
