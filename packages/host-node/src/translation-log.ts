// SPDX-License-Identifier: Apache-2.0
import { closeSync, fstatSync } from "node:fs";
import type { CodeLog } from "@isola/ports";
import { readFully, writeFully } from "./file-io.js";

/** Compiled guest code in two files: what was saved, and what has been added since. */
export class TranslationLog implements CodeLog {
  /** Bytes of saved code. */
  private readonly savedLength: number;
  private added: number | null = null;
  private full = false;
  private end: number;

  /**
   * @param saved an open file, or null
   * @param start where code begins in that file, in bytes
   * @param create makes an open file without a name for what is added; may throw
   */
  constructor(
    private readonly saved: number | null,
    private readonly start: number,
    private readonly create: () => number,
  ) {
    this.savedLength = saved === null ? 0 : Math.max(0, fstatSync(saved).size - start);
    this.end = this.savedLength;
  }

  get length(): number {
    return this.end;
  }

  read(at: number, length: number): Uint8Array | null {
    const isSaved = at < this.savedLength;
    const file = isSaved ? this.saved : this.added;
    if (file === null) return null;
    const bytes = new Uint8Array(length);
    try {
      readFully(file, isSaved ? at + this.start : at - this.savedLength, bytes);
      return bytes;
    } catch {
      return null;
    }
  }

  append(bytes: Uint8Array): boolean {
    if (this.full) return false;
    try {
      this.added ??= this.create();
      writeFully(this.added, this.end - this.savedLength, bytes);
    } catch {
      // No room on the disk, or no place to write to: there is no point in trying again and again.
      this.full = true;
      return false;
    }
    this.end += bytes.length;
    return true;
  }

  close(): void {
    for (const file of [this.saved, this.added]) if (file !== null) closeSync(file);
  }
}
