// SPDX-License-Identifier: Apache-2.0
import type { BlockStore } from "@isola/ports";
import type { DiskCounterValues } from "./counters.js";

export type StoreOperation = "read" | "write" | "flush" | "discard";

/** One finished operation of a store. Times are ns on the host's clock. */
export interface StoreRequest {
  readonly operation: StoreOperation;
  readonly offset: number;
  readonly bytes: number;
  readonly start: number;
  readonly end: number;
  readonly failed: boolean;
}

/** A block store that counts what is done with another one. */
export class ObservedStore implements BlockStore {
  readonly size: number;
  readonly readOnly: boolean;
  readonly discard?: (offset: number, length: number) => void | Promise<void>;
  /** Hears of every operation when it is finished; null unless somebody watches. */
  onRequest: ((request: StoreRequest) => void) | null = null;
  private readonly requests = { read: 0, write: 0, flush: 0, discard: 0 };
  private bytesRead = 0;
  private bytesWritten = 0;
  private errors = 0;
  private time = 0;

  /** @param now the host's clock in ns */
  constructor(
    private readonly store: BlockStore,
    private readonly now: () => number,
  ) {
    this.size = store.size;
    this.readOnly = store.readOnly;
    if (store.discard !== undefined)
      this.discard = (offset, length) =>
        this.observe("discard", offset, length, () => this.store.discard?.(offset, length));
  }

  read(offset: number, buffer: Uint8Array): void | Promise<void> {
    return this.observe("read", offset, buffer.length, () => this.store.read(offset, buffer));
  }

  write(offset: number, buffer: Uint8Array): void | Promise<void> {
    return this.observe("write", offset, buffer.length, () => this.store.write(offset, buffer));
  }

  flush(): void | Promise<void> {
    return this.observe("flush", 0, 0, () => this.store.flush());
  }

  close(): void | Promise<void> {
    return this.store.close();
  }

  counters(): DiskCounterValues {
    const { bytesRead, bytesWritten, errors, time } = this;
    return { requests: { ...this.requests }, bytesRead, bytesWritten, errors, time };
  }

  private observe(
    operation: StoreOperation,
    offset: number,
    bytes: number,
    action: () => void | Promise<void>,
  ): void | Promise<void> {
    const start = this.now();
    const finish = (failed: boolean) => this.finish(operation, offset, bytes, start, failed);
    let result: void | Promise<void>;
    try {
      result = action();
    } catch (error) {
      finish(true);
      throw error;
    }
    if (!(result instanceof Promise)) return finish(false);
    return result.then(
      () => finish(false),
      (error: unknown) => {
        finish(true);
        throw error;
      },
    );
  }

  private finish(operation: StoreOperation, offset: number, bytes: number, start: number, failed: boolean): void {
    const end = this.now();
    this.requests[operation]++;
    this.time += end - start;
    if (failed) this.errors++;
    else if (operation === "read") this.bytesRead += bytes;
    else if (operation === "write") this.bytesWritten += bytes;
    this.onRequest?.({ operation, offset, bytes, start, end, failed });
  }
}
