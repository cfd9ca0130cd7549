// SPDX-License-Identifier: Apache-2.0
import type { ResizableStore } from "@isola/ports";

/** A file in memory that insists on the rules of its interface. */
export class MemoryStore implements ResizableStore {
  readonly readOnly: boolean;
  /** Answers come by a promise, each some turns later. */
  readonly later: boolean;
  closed = false;
  private bytes: Uint8Array;
  private length: number;

  constructor(content: Uint8Array | number = 0, options: { readOnly?: boolean; later?: boolean } = {}) {
    this.bytes = typeof content === "number" ? new Uint8Array(content) : content.slice();
    this.length = this.bytes.length;
    this.readOnly = options.readOnly ?? false;
    this.later = options.later ?? false;
  }

  get size(): number {
    return this.length;
  }

  /** What the file has. */
  content(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  read(offset: number, buffer: Uint8Array): void | Promise<void> {
    this.check(offset, buffer.length);
    return this.answer(() => buffer.set(this.bytes.subarray(offset, offset + buffer.length)));
  }

  write(offset: number, buffer: Uint8Array): void | Promise<void> {
    if (this.readOnly) throw new Error("write to a read-only store");
    this.check(offset, buffer.length);
    return this.answer(() => this.bytes.set(buffer, offset));
  }

  flush(): void | Promise<void> {
    return this.answer(() => {});
  }

  resize(size: number): void | Promise<void> {
    if (this.readOnly) throw new Error("resize of a read-only store");
    return this.answer(() => {
      if (size > this.bytes.length) {
        const larger = new Uint8Array(Math.ceil(size * 1.25));
        larger.set(this.bytes.subarray(0, this.length));
        this.bytes = larger;
      }
      if (size < this.length) this.bytes.fill(0, size, this.length);
      this.length = size;
    });
  }

  close(): void {
    this.closed = true;
  }

  private answer(act: () => void): void | Promise<void> {
    if (!this.later) return act();
    return new Promise((resolve, reject) => {
      const delay = () => {
        try {
          act();
          resolve();
        } catch (error) {
          reject(error as Error);
        }
      };
      if (Math.random() < 0.2) setImmediate(delay);
      else queueMicrotask(delay);
    });
  }

  private check(offset: number, length: number): void {
    if (this.closed) throw new Error("the store is closed");
    if (!(offset >= 0 && offset + length <= this.length))
      throw new Error(`range ${offset}+${length} is outside a store of ${this.length}`);
  }
}
