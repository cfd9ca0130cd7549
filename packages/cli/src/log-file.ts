// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { orFileError } from "@isola/host-node";
import type { ByteSink } from "@isola/ports";

/** A guest that talks without end fills two files of this size, not the disk. */
const MAX_LOG_BYTES = 4 << 20;

/** A log file that keeps the last few MiB: when it is full it becomes `PATH.old` and starts anew. */
export class LogFile implements ByteSink {
  private readonly descriptor: number;
  private size: number;

  /** Opens the file to append to it. Throws OperatorError if that cannot be. */
  constructor(
    private readonly path: string,
    private readonly limit: number = MAX_LOG_BYTES,
  ) {
    this.descriptor = orFileError("write", path, () => openSync(path, "a", 0o600));
    this.size = orFileError("write", path, () => fstatSync(this.descriptor).size);
  }

  write(bytes: Uint8Array): void {
    try {
      if (this.size + bytes.length > this.limit && this.size > 0) {
        copyFileSync(this.path, `${this.path}.old`);
        // The same file goes on, because standard error of this process leads to it as well.
        ftruncateSync(this.descriptor);
        this.size = 0;
      }
      this.size += writeSync(this.descriptor, bytes);
    } catch {
      // A full disk must not end the machine for the sake of its log.
    }
  }
}
