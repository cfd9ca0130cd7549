// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { RangeTransport, ResizableStore } from "@isola/ports";
import { RangeClient } from "./range-client.js";

/** A request to the server asks for whole blocks of this many bytes. */
const BLOCK = 256 << 10;
/** The most that one request asks for: blocks that are wanted, and blocks ahead of a reader in sequence. */
const MAX_REQUEST_BLOCKS = 16;

export interface RangeStoreOptions {
  /** Bytes of the image that are kept in memory; default 64 MiB. */
  readonly cacheBytes?: number;
  /** Tries of each request, with growing pauses in between; default 5. */
  readonly attempts?: number;
}

/**
 * A file on a web server, read by ranges as it is needed. What has been read is kept up to a bound, and then answers at
 * once; a reader in sequence is read ahead of. A file that changes on the server fails from then on.
 */
export class RangeStore implements ResizableStore {
  readonly readOnly = true;
  private readonly blocks = new Map<number, Uint8Array>();
  private readonly loading = new Map<number, Promise<void>>();
  private readonly capacity: number;
  /** The block that a reader in sequence will lack next, and how many are then asked for. */
  private next = 0;
  private ahead = 1;

  private constructor(
    private readonly client: RangeClient,
    readonly size: number,
    cacheBytes: number,
  ) {
    this.capacity = Math.max(2 * MAX_REQUEST_BLOCKS, Math.floor(cacheBytes / BLOCK));
  }

  /** Asks the server for the file's size. Throws OperatorError if it cannot be read by ranges. */
  static async open(transport: RangeTransport, options: RangeStoreOptions = {}): Promise<RangeStore> {
    const { cacheBytes = 64 * 2 ** 20, attempts = 5 } = options;
    const client = new RangeClient(transport, attempts);
    return new RangeStore(client, await client.open(), cacheBytes);
  }

  read(offset: number, buffer: Uint8Array): void | Promise<void> {
    if (buffer.length === 0 || this.copy(offset, buffer)) return;
    return this.readLater(offset, buffer);
  }

  write(): never {
    throw new OperatorError("read-only", `${this.client.name} is on a web server and cannot be written`);
  }

  resize(): never {
    return this.write();
  }

  flush(): void {}

  close(): void {
    this.client.close();
    this.blocks.clear();
  }

  private async readLater(offset: number, buffer: Uint8Array): Promise<void> {
    // A piece at a time, so that blocks which were waited for are not thrown out by the next ones before their use.
    const most = MAX_REQUEST_BLOCKS * BLOCK;
    for (let done = 0; done < buffer.length;) {
      const at = offset + done;
      const piece = buffer.subarray(done, done + most - (at % BLOCK));
      while (!this.copy(at, piece))
        await this.load(Math.floor(at / BLOCK), Math.floor((at + piece.length - 1) / BLOCK));
      done += piece.length;
    }
  }

  /** Fills `buffer` from blocks that are here; false, with nothing promised of its contents, if one is not. */
  private copy(offset: number, buffer: Uint8Array): boolean {
    for (let done = 0; done < buffer.length;) {
      const at = offset + done;
      const index = Math.floor(at / BLOCK);
      const block = this.blocks.get(index);
      if (block === undefined) return false;
      this.blocks.delete(index);
      this.blocks.set(index, block);
      const part = block.subarray(at % BLOCK, (at % BLOCK) + buffer.length - done);
      buffer.set(part, done);
      done += part.length;
    }
    return true;
  }

  /** Resolves when the blocks from `first` to `last` have been here. */
  private async load(first: number, last: number): Promise<void> {
    this.ahead = first === this.next ? Math.min(this.ahead * 2, MAX_REQUEST_BLOCKS) : 1;
    const end = Math.min(Math.max(last + 1, first + this.ahead), Math.ceil(this.size / BLOCK));
    this.next = end;
    const waits: Promise<void>[] = [];
    for (let index = first; index < end;) {
      const under = this.loading.get(index);
      if (under !== undefined && index <= last) waits.push(under);
      if (under !== undefined || this.blocks.has(index)) {
        index++;
        continue;
      }
      let stop = index + 1;
      while (stop < end && stop - index < MAX_REQUEST_BLOCKS && !this.blocks.has(stop) && !this.loading.has(stop))
        stop++;
      const request = this.fetch(index, stop);
      for (let block = index; block < stop; block++) this.loading.set(block, request);
      waits.push(request);
      index = stop;
    }
    await Promise.all(waits);
  }

  private async fetch(first: number, end: number): Promise<void> {
    try {
      const start = first * BLOCK;
      const bytes = await this.client.read(start, Math.min(end * BLOCK, this.size) - start);
      for (let index = first; index < end; index++) {
        this.makeRoom();
        // A copy, so that one block that stays does not keep its neighbours.
        this.blocks.set(index, bytes.slice((index - first) * BLOCK, (index - first + 1) * BLOCK));
      }
    } finally {
      for (let index = first; index < end; index++) this.loading.delete(index);
    }
  }

  private makeRoom(): void {
    if (this.blocks.size < this.capacity) return;
    const oldest = this.blocks.keys().next();
    if (oldest.done !== true) this.blocks.delete(oldest.value);
  }
}
