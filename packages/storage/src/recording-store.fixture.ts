// SPDX-License-Identifier: Apache-2.0
import type { ResizableStore } from "@isola/ports";
import { MemoryStore } from "./memory-store.fixture.js";
import type { Random } from "./random.fixture.js";

const SECTOR = 512;

type Operation =
  | { readonly kind: "write"; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: "resize"; readonly size: number }
  | { readonly kind: "flush" };

/** A file that remembers what was done to it, so that a power cut at any moment can be tried. */
export class RecordingStore implements ResizableStore {
  readonly readOnly = false;
  readonly log: Operation[] = [];
  private readonly initial: Uint8Array;
  private readonly now: MemoryStore;

  /** @param later answers come by a promise, each some turns later */
  constructor(
    content: Uint8Array,
    private readonly later = false,
  ) {
    this.initial = content.slice();
    this.now = new MemoryStore(content);
  }

  get size(): number {
    return this.now.size;
  }

  read(offset: number, buffer: Uint8Array): void | Promise<void> {
    return this.answer(() => void this.now.read(offset, buffer));
  }

  write(offset: number, buffer: Uint8Array): void | Promise<void> {
    return this.answer(() => {
      void this.now.write(offset, buffer);
      this.log.push({ kind: "write", offset, bytes: buffer.slice() });
    });
  }

  resize(size: number): void | Promise<void> {
    return this.answer(() => {
      void this.now.resize(size);
      this.log.push({ kind: "resize", size });
    });
  }

  /** Covers what was answered before it was asked for, and no more. */
  flush(): void | Promise<void> {
    this.log.push({ kind: "flush" });
    return this.answer(() => {});
  }

  close(): void {}

  private answer(act: () => void): void | Promise<void> {
    if (!this.later) return act();
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        try {
          act();
          resolve();
        } catch (error) {
          reject(error as Error);
        }
      });
    });
  }

  /**
   * The file after a power cut before operation `cut`: all that was flushed is there, and of what came after the last
   * flush any sectors, in any order.
   */
  afterCut(cut: number, random: Random): Uint8Array {
    const file = new MemoryStore(this.initial);
    let durable = 0;
    for (let i = 0; i < cut; i++) if (this.log[i].kind === "flush") durable = i;
    for (const operation of this.log.slice(0, durable)) apply(file, operation);
    const loose = this.log.slice(durable, cut).flatMap(sectorsOf);
    const keep = random.pick([0, 20, 50, 80, 100]);
    const kept = loose.filter(() => random.chance(keep));
    // Sectors may arrive in any order, but two writes of one sector arrive in theirs: a disk's cache merges them.
    const order = kept.map((operation, i) => ({ operation, i, key: random.below(1 << 30) }));
    const lastOf = new Map<number, number>();
    for (const { operation, i } of order) if (operation.kind === "write") lastOf.set(operation.offset, i);
    order.sort((a, b) => a.key - b.key);
    for (const { operation, i } of order)
      if (operation.kind !== "write" || lastOf.get(operation.offset) === i) apply(file, operation);
    return file.content();
  }
}

function apply(file: MemoryStore, operation: Operation): void {
  if (operation.kind === "resize") void file.resize(operation.size);
  if (operation.kind !== "write") return;
  const end = operation.offset + operation.bytes.length;
  if (file.size < end) void file.resize(end);
  void file.write(operation.offset, operation.bytes);
}

/** A write in the units that a power cut leaves whole. */
function sectorsOf(operation: Operation): Operation[] {
  if (operation.kind !== "write") return [operation];
  const parts: Operation[] = [];
  for (let at = 0; at < operation.bytes.length; at += SECTOR)
    parts.push({
      kind: "write",
      offset: operation.offset + at,
      bytes: operation.bytes.subarray(at, at + SECTOR),
    });
  return parts;
}
