// SPDX-License-Identifier: Apache-2.0
import { closeSync, ftruncateSync, openSync } from "node:fs";
import type { Log } from "@isola/ports";
import { writeFully } from "./file-io.js";
import { fileError, orFileError } from "./host-error.js";

/**
 * A text file whose end is replaced again and again, so that what is on disk is complete between two writes. When the
 * disk refuses a write, the file keeps what it had, the log is told once, and later writes do nothing.
 */
export class ReplaceableFile {
  private readonly file: number;
  private length = 0;
  private broken = false;

  /** Makes or empties the file. Throws OperatorError if that is not possible. */
  constructor(
    private readonly path: string,
    private readonly log: Log,
  ) {
    this.file = orFileError("write", path, () => openSync(path, "w"));
  }

  /** Puts `text` (ASCII) in place of the last `replaced` characters. */
  write(text: string, replaced: number): void {
    if (this.broken) return;
    const bytes = Buffer.from(text, "latin1");
    try {
      // What makes the file longer comes first: if there is no room for it, the old end is still in its place.
      writeFully(this.file, this.length, bytes.subarray(replaced));
      writeFully(this.file, this.length - replaced, bytes.subarray(0, replaced));
      this.length += bytes.length - replaced;
    } catch (error) {
      this.broken = true;
      this.log.warn(`${fileError("write", this.path, error).message}; what comes now is left out`);
      this.cutBack();
    }
  }

  close(): void {
    closeSync(this.file);
  }

  private cutBack(): void {
    try {
      ftruncateSync(this.file, this.length);
    } catch {
      // A device such as /dev/full cannot be cut; nothing was kept there anyway.
    }
  }
}
