// SPDX-License-Identifier: Apache-2.0
import type { BlockStore, ResizableStore } from "@isola/ports";
import { readClipped } from "../clipped-read.js";
import { Gate } from "../gate.js";
import { readOnlyImage } from "../image-error.js";
import { perform, type Steps } from "../steps.js";
import { type ClusterMap, ExtentKind } from "./cluster-map.js";
import { commit } from "./commit.js";
import type { CompressedClusters } from "./compressed-clusters.js";
import type { Geometry } from "./geometry.js";
import type { ClusterRun, Refcounts } from "./refcounts.js";

/** The file grows by this much ahead of what is used, and is cut when it is closed. */
const GROWTH = 4 << 20;

/** The parts of an opened image. */
export interface Qcow2Parts {
  readonly file: ResizableStore;
  readonly name: string;
  readonly version: number;
  readonly geometry: Geometry;
  readonly size: number;
  readonly readOnly: boolean;
  /** Nobody will open the file again. */
  readonly disposable: boolean;
  readonly backing: BlockStore | null;
  readonly map: ClusterMap;
  readonly compressed: CompressedClusters;
  /** Null in a read-only image. */
  readonly refcounts: Refcounts | null;
}

/**
 * The disk in a qcow2 image. Reads, and writes to clusters that the image has for itself, run side by side; whatever
 * changes tables runs alone. Changed tables stay in memory until a flush (see commit.ts).
 */
export class Qcow2Store implements BlockStore {
  readonly size: number;
  readonly readOnly: boolean;
  readonly discard?: (offset: number, length: number) => void | Promise<void>;
  /** Held by whoever changes tables or writes them to the file. */
  private readonly tables = new Gate();
  /** Shared by requests that depend on tables, held alone by those that change them. */
  private readonly use = new Gate();
  private closed = false;

  constructor(private readonly parts: Qcow2Parts) {
    this.size = parts.size;
    this.readOnly = parts.readOnly;
    if (!parts.readOnly) this.discard = (offset, length) => perform(this.discarding(offset, length));
  }

  read(offset: number, buffer: Uint8Array): void | Promise<void> {
    return perform(this.reading(offset, buffer));
  }

  write(offset: number, buffer: Uint8Array): void | Promise<void> {
    if (this.parts.refcounts === null) throw readOnlyImage(this.parts.name);
    return perform(this.writing(offset, buffer, this.parts.refcounts));
  }

  flush(): void | Promise<void> {
    const { refcounts, map, file, disposable } = this.parts;
    if (refcounts === null || disposable) return;
    if (!refcounts.dirty && !map.dirty && !refcounts.hasDoomed) return file.flush();
    return perform(this.flushing(refcounts));
  }

  close(): void | Promise<void> {
    if (this.closed) return;
    this.closed = true;
    return perform(this.closing());
  }

  /** Makes a range read as zeros without storing them, where the format can say so. */
  zero(offset: number, length: number): void | Promise<void> {
    return perform(this.zeroing(offset, length));
  }

  private *reading(offset: number, buffer: Uint8Array): Steps<void> {
    yield this.use.shared();
    try {
      yield* this.readMapped(offset, buffer);
    } finally {
      this.use.leaveShared();
    }
  }

  private *readMapped(offset: number, buffer: Uint8Array): Steps<void> {
    const { map, file, compressed, geometry } = this.parts;
    for (let done = 0; done < buffer.length;) {
      const at = offset + done;
      const extent = yield* map.extent(at, buffer.length - done);
      const piece = buffer.subarray(done, done + extent.length);
      switch (extent.kind) {
        case ExtentKind.Data:
          yield* readClipped(file, extent.host, piece);
          break;
        case ExtentKind.Zero:
          piece.fill(0);
          break;
        case ExtentKind.Unallocated:
          yield* this.readBacking(at, piece);
          break;
        case ExtentKind.Compressed: {
          const cluster = yield* compressed.read(extent.host, extent.packed);
          const skip = at % geometry.clusterSize;
          piece.set(cluster.subarray(skip, skip + piece.length));
        }
      }
      done += extent.length;
    }
  }

  private *readBacking(offset: number, piece: Uint8Array): Steps<void> {
    const { backing } = this.parts;
    if (backing === null) piece.fill(0);
    else yield* readClipped(backing, offset, piece);
  }

  private *writing(offset: number, buffer: Uint8Array, refcounts: Refcounts): Steps<void> {
    let done = 0;
    yield this.use.shared();
    try {
      done = yield* this.writeInPlace(offset, buffer);
    } finally {
      this.use.leaveShared();
    }
    if (done === buffer.length) return;
    yield* this.alone(this.writeAnywhere(offset + done, buffer.subarray(done), refcounts));
  }

  /** Writes up to the first byte whose cluster the image does not have for itself; returns how many bytes that is. */
  private *writeInPlace(offset: number, buffer: Uint8Array): Steps<number> {
    const { map, file } = this.parts;
    let done = 0;
    while (done < buffer.length) {
      const extent = yield* map.extent(offset + done, buffer.length - done);
      if (extent.kind !== ExtentKind.Data || !extent.own) break;
      const end = extent.host + extent.length;
      if (file.size < end) yield file.resize(end);
      yield file.write(extent.host, buffer.subarray(done, done + extent.length));
      done += extent.length;
    }
    return done;
  }

  private *writeAnywhere(offset: number, buffer: Uint8Array, refcounts: Refcounts): Steps<void> {
    for (let done = 0; done < buffer.length;) {
      yield* this.relieve(refcounts);
      const rest = buffer.subarray(done);
      const inPlace = yield* this.writeInPlace(offset + done, rest);
      done += inPlace;
      if (inPlace < rest.length) done += yield* this.writeNew(offset + done, rest.subarray(inPlace), refcounts);
    }
  }

  /** Gives the clusters from `offset` on new places and writes them there; returns how many bytes were written. */
  private *writeNew(offset: number, buffer: Uint8Array, refcounts: Refcounts): Steps<number> {
    const { map, file, geometry, compressed } = this.parts;
    const { clusterSize } = geometry;
    const first = Math.floor(offset / clusterSize);
    const last = Math.floor((offset + buffer.length - 1) / clusterSize);
    const wanted = yield* map.replaceable(first, last - first + 1);
    const run = yield* refcounts.allocate(wanted);
    const bytes = Math.min(buffer.length, (first + run.count) * clusterSize - offset);
    try {
      // The file ends at a cluster, and is not made longer each time.
      const end = run.offset + run.count * clusterSize;
      if (file.size < end) yield file.resize(Math.ceil(end / clusterSize) * clusterSize + GROWTH);
      yield* this.fill(first, run, offset, buffer.subarray(0, bytes));
    } catch (error) {
      yield* refcounts.release(run.offset, run.count);
      throw error;
    }
    yield* map.link(first, run.offset, run.count, refcounts);
    compressed.forget();
    return bytes;
  }

  /** Writes new clusters: `buffer`, and around it what the disk has there so far. */
  private *fill(first: number, run: ClusterRun, offset: number, buffer: Uint8Array): Steps<void> {
    const { file, geometry } = this.parts;
    const { clusterSize } = geometry;
    const start = first * clusterSize;
    const head = offset - start;
    const tail = run.count * clusterSize - head - buffer.length;
    const keepHead = head > 0 && !(run.zero && (yield* this.readsZero(start, head)));
    const keepTail = tail > 0 && !(run.zero && (yield* this.readsZero(offset + buffer.length, tail)));
    if (run.count === 1 && (keepHead || keepTail)) {
      const cluster = new Uint8Array(clusterSize);
      yield* this.readOld(start, cluster);
      cluster.set(buffer, head);
      yield file.write(run.offset, cluster);
      return;
    }
    yield file.write(run.offset + head, buffer);
    if (keepHead) yield* this.copy(start, run.offset, head);
    if (keepTail) yield* this.copy(offset + buffer.length, run.offset + head + buffer.length, tail);
  }

  private *copy(from: number, to: number, length: number): Steps<void> {
    const old = new Uint8Array(length);
    yield* this.readOld(from, old);
    yield this.parts.file.write(to, old);
  }

  /** Reads what the disk has; behind its end, zeros. */
  private *readOld(offset: number, buffer: Uint8Array): Steps<void> {
    const there = Math.max(0, Math.min(buffer.length, this.size - offset));
    if (there > 0) yield* this.readMapped(offset, buffer.subarray(0, there));
    buffer.fill(0, there);
  }

  /** Whether a range within one cluster is known to read as zeros. */
  private *readsZero(offset: number, length: number): Steps<boolean> {
    if (offset >= this.size) return true;
    const { kind } = yield* this.parts.map.extent(offset, length);
    if (kind === ExtentKind.Zero) return true;
    const { backing } = this.parts;
    return kind === ExtentKind.Unallocated && (backing === null || offset >= backing.size);
  }

  private *discarding(offset: number, length: number): Steps<void> {
    // Without a mark for zeros, an image over a backing file cannot forget a cluster: the backing would show.
    if (this.parts.backing !== null && this.parts.version < 3) return;
    yield* this.alone(this.unmap(offset, length, this.parts.backing !== null, false));
  }

  private *zeroing(offset: number, length: number): Steps<void> {
    const { backing, version, geometry, refcounts } = this.parts;
    if (refcounts === null) throw readOnlyImage(this.parts.name);
    const { clusterSize } = geometry;
    const end = offset + length;
    const from = Math.min(end, Math.ceil(offset / clusterSize) * clusterSize);
    const to = end >= this.size ? end : Math.max(from, Math.floor(end / clusterSize) * clusterSize);
    const whole = backing === null || version >= 3;
    if (whole && to > from) yield* this.alone(this.unmap(from, to - from, backing !== null, true));
    const pieces =
      whole && to > from
        ? [
            [offset, from],
            [to, end],
          ]
        : [[offset, end]];
    for (const [start, stop] of pieces) yield* this.writeZeros(start, stop, refcounts);
  }

  private *writeZeros(start: number, stop: number, refcounts: Refcounts): Steps<void> {
    const zeros = new Uint8Array(Math.min(GROWTH, stop - start));
    for (let at = start; at < stop; at += zeros.length)
      yield* this.writing(at, zeros.subarray(0, Math.min(zeros.length, stop - at)), refcounts);
  }

  private *unmap(offset: number, length: number, zero: boolean, all: boolean): Steps<void> {
    const { map, geometry, refcounts, compressed } = this.parts;
    if (refcounts === null) return;
    const { clusterSize, l2Entries } = geometry;
    const end = offset + length;
    let cluster = Math.ceil(offset / clusterSize);
    // The disk's last cluster may be only partly on the disk.
    const stop = end >= this.size ? Math.ceil(this.size / clusterSize) : Math.floor(end / clusterSize);
    while (cluster < stop) {
      yield* this.relieve(refcounts);
      const count = Math.min(stop - cluster, l2Entries - (cluster % l2Entries));
      yield* map.unlink(cluster, count, zero, all, refcounts);
      cluster += count;
    }
    compressed.forget();
  }

  /** Writes tables to the file when too many have changed. */
  private *relieve(refcounts: Refcounts): Steps<void> {
    if (this.parts.map.crowded()) yield* commit(this.parts.file, this.parts.map, refcounts);
  }

  /** Runs `steps` while nobody else uses tables. */
  private *alone(steps: Steps<void>): Steps<void> {
    yield this.tables.alone();
    try {
      yield this.use.alone();
      try {
        yield* steps;
      } finally {
        this.use.leave();
      }
    } finally {
      this.tables.leave();
    }
  }

  private *flushing(refcounts: Refcounts): Steps<void> {
    yield this.tables.alone();
    try {
      yield* commit(this.parts.file, this.parts.map, refcounts);
    } finally {
      this.tables.leave();
    }
  }

  private *closing(): Steps<void> {
    const { file, backing, refcounts, disposable } = this.parts;
    try {
      if (refcounts !== null && !disposable) {
        yield* this.flushing(refcounts);
        // What the first commit gave back is in the refcounts now.
        if (refcounts.dirty) yield* this.flushing(refcounts);
        if (file.size > refcounts.end) yield file.resize(refcounts.end);
      }
    } finally {
      yield file.close();
      yield backing?.close();
    }
  }
}
