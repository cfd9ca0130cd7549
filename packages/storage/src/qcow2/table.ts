// SPDX-License-Identifier: Apache-2.0
import type { ResizableStore } from "@isola/ports";
import { viewOf } from "../integers.js";
import type { Steps } from "../steps.js";
import { SECTOR } from "./format.js";

/** A table of the image that is held in memory, and which of its bytes the file does not have yet. */
export class Table {
  readonly view: DataView;
  /** Nothing that is durable refers to it yet, so it may be written at any time. */
  fresh = false;
  /** A promise while it is being read. */
  loading: Promise<unknown> | null = null;
  private dirtyFrom = Infinity;
  private dirtyTo = 0;

  constructor(
    /** Where it is in the file. */
    readonly offset: number,
    readonly bytes: Uint8Array,
    /** Told of the table while it is dirty. */
    private readonly dirtyTables: Set<Table> | null = null,
  ) {
    this.view = viewOf(bytes);
  }

  get dirty(): boolean {
    return this.dirtyTo > 0;
  }

  /** Bytes from `from` to `to` have changed. */
  touch(from: number, to: number): void {
    if (from < this.dirtyFrom) this.dirtyFrom = from;
    if (to > this.dirtyTo) this.dirtyTo = to;
    this.dirtyTables?.add(this);
  }

  touchAll(): void {
    this.touch(0, this.bytes.length);
  }

  /** Writes the sectors that have changed. What changes meanwhile stays dirty. */
  *write(file: ResizableStore): Steps<void> {
    if (!this.dirty) return;
    const from = Math.floor(this.dirtyFrom / SECTOR) * SECTOR;
    const to = Math.min(this.bytes.length, Math.ceil(this.dirtyTo / SECTOR) * SECTOR);
    this.dirtyFrom = Infinity;
    this.dirtyTo = 0;
    this.dirtyTables?.delete(this);
    try {
      if (file.size < this.offset + to) yield file.resize(this.offset + to);
      yield file.write(this.offset + from, this.bytes.subarray(from, to));
    } catch (error) {
      this.touch(from, to);
      throw error;
    }
  }
}
