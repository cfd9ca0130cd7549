// SPDX-License-Identifier: Apache-2.0
import type { ResizableStore } from "@isola/ports";
import { damaged } from "../image-error.js";
import { getU64, roundUp, setU64 } from "../integers.js";
import type { Steps } from "../steps.js";
import { MAX_REFCOUNT_TABLE_BYTES } from "./format.js";
import type { Geometry } from "./geometry.js";
import { RefcountField } from "./refcount-field.js";
import { Table } from "./table.js";
import { TableCache } from "./table-cache.js";

const CACHE_BYTES = 1 << 20;
const MIN_CACHE_TABLES = 8;

/** Clusters that follow each other in the file. */
export interface ClusterRun {
  /** Byte offset of the first. */
  readonly offset: number;
  readonly count: number;
  /** They were never used, so the file has zeros there. */
  readonly zero: boolean;
}

/** How often each cluster of the file is used: the allocator of a qcow2 image. */
export class Refcounts {
  private readonly field: RefcountField;
  private readonly blocks: TableCache;
  /** No cluster below this number is free. */
  private search = 0;
  /** Clusters from this number on have never been used. */
  private untouched: number;
  /** Clusters whose users are gone, but not yet durably. */
  private doomed: { readonly offset: number; readonly clusters: number }[] = [];
  /** The table moved: the header must be told, and the old place given back. */
  private movedFrom: { readonly offset: number; readonly clusters: number } | null = null;

  /**
   * @param table the refcount table, filled up with zeros to whole clusters
   * @param reserved offsets of the clusters that are known to be tables or the header, whatever their refcounts say
   */
  constructor(
    private readonly file: ResizableStore,
    private readonly name: string,
    private readonly geometry: Geometry,
    private table: Table,
    private readonly reserved: Set<number>,
  ) {
    this.field = new RefcountField(geometry.refcountOrder);
    const capacity = Math.max(MIN_CACHE_TABLES, CACHE_BYTES / geometry.clusterSize);
    this.blocks = new TableCache(file, geometry.clusterSize, capacity);
    this.untouched = geometry.clusters(file.size);
  }

  get tableOffset(): number {
    return this.table.offset;
  }

  get tableClusters(): number {
    return this.table.bytes.length / this.geometry.clusterSize;
  }

  get tableMoved(): boolean {
    return this.movedFrom !== null;
  }

  /** End of the last cluster that has ever been used. */
  get end(): number {
    return this.untouched * this.geometry.clusterSize;
  }

  /** Takes up to `wanted` free clusters that follow each other; at least one. */
  *allocate(wanted: number): Steps<ClusterRun> {
    return yield* this.take(wanted, false);
  }

  /** Takes exactly `count` clusters that follow each other. */
  *allocateAll(count: number): Steps<ClusterRun> {
    return yield* this.take(count, true);
  }

  /** Gives back clusters that nothing durable refers to. */
  *release(offset: number, clusters: number): Steps<void> {
    const { clusterSize } = this.geometry;
    if (this.blocks.crowded()) yield* this.writeBlocks();
    for (let index = offset / clusterSize, end = index + clusters; index < end; index++) {
      const block = yield* this.block(index);
      const at = index % this.geometry.blockEntries;
      const count = block === null ? 0 : this.field.get(block.view, at);
      if (block === null || count === 0) throw damaged(this.name, `cluster ${index} is used, and its refcount is 0`);
      this.store(block, at, count - 1);
      if (count > 1) continue;
      this.reserved.delete(index * clusterSize);
      if (index < this.search) this.search = index;
    }
  }

  /** Gives back the clusters that `bytes` from `offset` touch, as soon as it is durable that nothing refers to them. */
  releaseLater(offset: number, bytes: number): void {
    const { clusterSize } = this.geometry;
    const first = Math.floor(offset / clusterSize);
    const clusters = Math.floor((offset + bytes - 1) / clusterSize) - first + 1;
    const last = this.doomed.at(-1);
    if (last !== undefined && last.offset + last.clusters * clusterSize === first * clusterSize)
      this.doomed[this.doomed.length - 1] = { offset: last.offset, clusters: last.clusters + clusters };
    else this.doomed.push({ offset: first * clusterSize, clusters });
  }

  /** What was to be given back later is given back now. */
  *releaseDoomed(): Steps<void> {
    for (let next = this.doomed.pop(); next !== undefined; next = this.doomed.pop())
      yield* this.release(next.offset, next.clusters);
  }

  get hasDoomed(): boolean {
    return this.doomed.length > 0;
  }

  /** Whether the file lacks any refcount. */
  get dirty(): boolean {
    return this.table.dirty || this.blocks.hasDirty;
  }

  get tableDirty(): boolean {
    return this.table.dirty;
  }

  /** Writes the blocks; allowed at any time. A table that moved is written too, since the header still has the old. */
  *writeBlocks(): Steps<void> {
    for (const block of this.blocks.dirty()) {
      yield* block.write(this.file);
      block.fresh = false;
    }
    if (this.movedFrom !== null) yield* this.table.write(this.file);
  }

  /** Writes the table. The blocks it refers to must be durable. */
  *writeTable(): Steps<void> {
    yield* this.table.write(this.file);
  }

  /** The header refers to the table where it is now. */
  tableSettled(): void {
    if (this.movedFrom === null) return;
    this.releaseLater(this.movedFrom.offset, this.movedFrom.clusters * this.geometry.clusterSize);
    this.movedFrom = null;
  }

  private *take(wanted: number, all: boolean): Steps<ClusterRun> {
    const { blockEntries, clusterSize } = this.geometry;
    // Refcounts may be written at any time, so the cache need never be full of dirty blocks.
    if (this.blocks.crowded()) yield* this.writeBlocks();
    let first = this.search;
    let count = 0;
    for (let index = first; count < wanted; index++) {
      const block = yield* this.block(index);
      if (block === null) {
        // That may take clusters, among them those found so far: look again.
        yield* this.newBlock(index);
        first = this.search;
        index = first - 1;
        count = 0;
        continue;
      }
      if (this.field.get(block.view, index % blockEntries) === 0) {
        if (this.reserved.has(index * clusterSize))
          throw damaged(
            this.name,
            `a table is in cluster ${index}, whose refcount is 0; run "isola disk check --repair"`,
          );
        count++;
      } else if (count > 0 && !all) {
        break;
      } else {
        first = index + 1;
        count = 0;
      }
    }
    for (let index = first; index < first + count; index++) {
      const block = yield* this.block(index);
      if (block !== null) this.store(block, index % blockEntries, 1);
    }
    if (!all || first === this.search) this.search = first + count;
    const zero = first >= this.untouched;
    this.untouched = Math.max(this.untouched, first + count);
    return { offset: first * clusterSize, count, zero };
  }

  /** The block that has the refcount of a cluster, or null if there is none, which means zeros. */
  private *block(cluster: number): Steps<Table | null> {
    const { blockEntries, clusterSize } = this.geometry;
    const at = Math.floor(cluster / blockEntries) * 8;
    const offset = at < this.table.bytes.length ? getU64(this.table.view, at) : 0;
    if (offset === 0) return null;
    if (offset % clusterSize !== 0 || (offset >= this.file.size && offset >= this.end))
      throw damaged(this.name, `a refcount block at ${offset}, which is no cluster of the file`);
    return yield* this.blocks.get(offset);
  }

  /** Makes the block for `cluster`, in that cluster itself, which nothing uses. */
  private *newBlock(cluster: number): Steps<void> {
    const { blockEntries, clusterSize } = this.geometry;
    const at = Math.floor(cluster / blockEntries);
    if (at * 8 >= this.table.bytes.length) yield* this.growTable(at + 1);
    if ((yield* this.block(cluster)) !== null) return;
    const offset = cluster * clusterSize;
    if (this.reserved.has(offset))
      throw damaged(
        this.name,
        `a table is in cluster ${cluster}, which has no refcount; run "isola disk check --repair"`,
      );
    const block = this.blocks.add(offset);
    this.store(block, cluster % blockEntries, 1);
    this.untouched = Math.max(this.untouched, cluster + 1);
    setU64(this.table.view, at * 8, offset);
    this.table.touch(at * 8, at * 8 + 8);
  }

  /** Moves the table to a larger place. */
  private *growTable(entries: number): Steps<void> {
    const { clusterSize } = this.geometry;
    const bytes = roundUp(Math.ceil(entries * 1.5) * 8, clusterSize);
    if (bytes > MAX_REFCOUNT_TABLE_BYTES) throw damaged(this.name, "its file would become larger than qcow2 allows");
    const old = this.table;
    const larger = new Uint8Array(bytes);
    larger.set(old.bytes);
    // The larger table is in force before it has a place, so that finding one can use it. Its old place stays valid
    // for whoever opens the image until the header is changed.
    this.table = new Table(old.offset, larger);
    const place = yield* this.allocateAll(bytes / clusterSize);
    this.movedFrom ??= { offset: old.offset, clusters: old.bytes.length / clusterSize };
    this.table = new Table(place.offset, larger);
    this.table.touchAll();
  }

  private store(block: Table, at: number, value: number): void {
    this.field.set(block.view, at, value);
    const byte = this.field.byteOf(at);
    block.touch(byte, byte + 1);
  }
}
