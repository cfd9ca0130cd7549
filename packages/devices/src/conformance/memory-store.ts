// SPDX-License-Identifier: Apache-2.0
import type { BlockStore } from "@isola/ports";

/** A disk in memory, which can fail, and which answers only when told to while it is slow. */
export class MemoryStore implements BlockStore {
  readonly bytes: Uint8Array;
  /** Flushes and discards. */
  readonly log: string[] = [];
  fails = false;
  /** Waits for `answer` when true. */
  slow = false;
  private waiting: (() => void)[] = [];

  constructor(
    readonly size: number,
    readonly readOnly = false,
  ) {
    this.bytes = Uint8Array.from({ length: size }, (_, i) => (i >> 9) + i * 3);
  }

  read(offset: number, buffer: Uint8Array): void | Promise<void> {
    return this.perform(() => {
      if (offset + buffer.length > this.size) throw new Error("read beyond the end");
      buffer.set(this.bytes.subarray(offset, offset + buffer.length));
    });
  }

  write(offset: number, buffer: Uint8Array): void | Promise<void> {
    return this.perform(() => {
      if (offset + buffer.length > this.size) throw new Error("write beyond the end");
      this.bytes.set(buffer, offset);
    });
  }

  flush(): void {
    this.log.push("flush");
  }

  discard(offset: number, length: number): void {
    this.log.push(`discard ${offset} ${length}`);
  }

  close(): void {}

  get pending(): number {
    return this.waiting.length;
  }

  async answer(): Promise<void> {
    const waiting = this.waiting;
    this.waiting = [];
    for (const run of waiting) run();
    for (let i = 0; i < 20; i++) await Promise.resolve();
  }

  private perform(action: () => void): void | Promise<void> {
    if (this.fails) throw new Error("broken");
    if (!this.slow) return action();
    return new Promise((resolve) => {
      this.waiting.push(() => {
        action();
        resolve();
      });
    });
  }
}
