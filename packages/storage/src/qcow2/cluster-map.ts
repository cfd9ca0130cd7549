// SPDX-License-Identifier: Apache-2.0
import type { ResizableStore } from "@isola/ports";
import { damaged } from "../image-error.js";
import type { Steps } from "../steps.js";
import { COMPRESSED, COPIED, OFFSET_HIGH, OFFSET_LOW, ZERO } from "./format.js";
import type { Geometry } from "./geometry.js";
import type { Refcounts } from "./refcounts.js";
import type { Table } from "./table.js";
import { TableCache } from "./table-cache.js";

const MAX_CACHE_BYTES = 16 << 20;
const MIN_CACHE_TABLES = 16;
const TWO32 = 2 ** 32;

export const enum ExtentKind {
  /** The backing image shows through; without one, zeros. */
  Unallocated,
  Zero,
  Data,
  /** One compressed cluster. */
  Compressed,
}

/** A stretch of the disk of which all bytes are kept in the same way. */
export interface Extent {
  readonly kind: ExtentKind;
  readonly length: number;
  /** Of data and compressed clusters: the byte of the file where it begins. */
  readonly host: number;
  /** Data that may be overwritten in place: nothing else refers to it. */
  readonly own: boolean;
  /** Of a compressed cluster: how many bytes of the file it may take up. */
  readonly packed: number;
}

/** Where a compressed cluster is, from the two halves of its L2 entry. */
export function compressedPlace(high: number, low: number, clusterBits: number): { host: number; packed: number } {
  // Bits 0 to x-1 are the byte offset; from there to bit 61, how many further sectors it touches.
  const x = 62 - (clusterBits - 8);
  const host = (high & (2 ** (x - 32) - 1)) * TWO32 + (low >>> 0);
  const sectors = ((high & 0x3fff_ffff) >>> (x - 32)) + 1;
  return { host, packed: sectors * 512 - (host & 511) };
}

/** L1 and L2 tables: which cluster of the file has which cluster of the disk. */
export class ClusterMap {
  private readonly tables: TableCache;

  constructor(
    private readonly file: ResizableStore,
    private readonly name: string,
    private readonly geometry: Geometry,
    private l1: Table,
    size: number,
    private readonly version: number,
  ) {
    const most = Math.max(MIN_CACHE_TABLES, Math.floor(MAX_CACHE_BYTES / geometry.clusterSize));
    this.tables = new TableCache(
      file,
      geometry.clusterSize,
      Math.min(most, Math.max(MIN_CACHE_TABLES, geometry.l1EntriesFor(size) * 2)),
    );
  }

  get l1Table(): Table {
    return this.l1;
  }

  /** Takes another L1 table, which begins with the entries of the present one. */
  replaceL1(table: Table): void {
    this.l1 = table;
  }

  /** How the disk's bytes from `offset` on are kept: at most `length` of them, and at least one. */
  *extent(offset: number, length: number): Steps<Extent> {
    const { clusterSize, l2Entries, l2Span } = this.geometry;
    const inTable = l2Span - (offset % l2Span);
    const most = Math.min(length, inTable);
    const table = yield* this.table(Math.floor(offset / l2Span));
    if (table === null) return { kind: ExtentKind.Unallocated, length: most, host: 0, own: false, packed: 0 };
    const skip = offset % clusterSize;
    const first = Math.floor(offset / clusterSize) % l2Entries;
    const end = first + Math.ceil((skip + most) / clusterSize);
    const { view } = table;
    const high = view.getUint32(first * 8);
    const low = view.getUint32(first * 8 + 4);
    if ((high & COMPRESSED) !== 0) {
      const { host, packed } = compressedPlace(high, low, this.geometry.clusterBits);
      this.checkHost(host, offset);
      return { kind: ExtentKind.Compressed, length: Math.min(most, clusterSize - skip), host, own: false, packed };
    }
    const kind = this.kindOf(high, low);
    let next = first + 1;
    if (kind !== ExtentKind.Data) {
      while (next < end && this.kindOf(view.getUint32(next * 8), view.getUint32(next * 8 + 4)) === kind) next++;
      const bytes = Math.min(most, (next - first) * clusterSize - skip);
      return { kind, length: bytes, host: 0, own: false, packed: 0 };
    }
    const start = hostOffset(high, low);
    this.checkHost(start, offset);
    if (start % clusterSize !== 0)
      throw damaged(this.name, `the data of byte ${offset} is at ${start}, not at a cluster`);
    for (let expected = start + clusterSize; next < end; next++, expected += clusterSize) {
      const nextHigh = view.getUint32(next * 8);
      const nextLow = view.getUint32(next * 8 + 4);
      if (((nextHigh ^ high) & (COPIED | COMPRESSED)) !== 0 || this.kindOf(nextHigh, nextLow) !== kind) break;
      if (hostOffset(nextHigh, nextLow) !== expected) break;
    }
    const bytes = Math.min(most, (next - first) * clusterSize - skip);
    return { kind, length: bytes, host: start + skip, own: (high & COPIED) !== 0, packed: 0 };
  }

  /**
   * How many clusters from `cluster` on, at most `limit` and in one L2 table, cannot be written in place.
   */
  *replaceable(cluster: number, limit: number): Steps<number> {
    const { l2Entries } = this.geometry;
    const first = cluster % l2Entries;
    const most = Math.min(limit, l2Entries - first);
    const table = yield* this.table(Math.floor(cluster / l2Entries));
    if (table === null) return most;
    let count = 0;
    for (; count < most; count++) {
      const high = table.view.getUint32((first + count) * 8);
      const low = table.view.getUint32((first + count) * 8 + 4);
      if ((high & (COPIED | COMPRESSED)) >>> 0 === COPIED && this.kindOf(high, low) === ExtentKind.Data) break;
    }
    return count;
  }

  /** Maps `count` clusters of the disk, within one L2 table, to those of the file at `host`, which are new. */
  *link(cluster: number, host: number, count: number, refcounts: Refcounts): Steps<void> {
    const table = yield* this.ownTable(Math.floor(cluster / this.geometry.l2Entries), refcounts);
    const first = cluster % this.geometry.l2Entries;
    for (let i = 0; i < count; i++) {
      const at = host + i * this.geometry.clusterSize;
      this.change(table, first + i, (COPIED | Math.floor(at / TWO32)) >>> 0, at % TWO32, refcounts);
    }
  }

  /**
   * Unmaps those of `count` clusters, within one L2 table, that have data: they become unallocated or, with `zero`,
   * zeros. With `all`, clusters that have none become zeros too.
   */
  *unlink(cluster: number, count: number, zero: boolean, all: boolean, refcounts: Refcounts): Steps<void> {
    const { l2Entries } = this.geometry;
    const index = Math.floor(cluster / l2Entries);
    const first = cluster % l2Entries;
    const present = yield* this.table(index);
    const wanted = (table: Table | null, at: number) => {
      const kind = table === null ? ExtentKind.Unallocated : this.entryKind(table, at);
      if (kind === ExtentKind.Data || kind === ExtentKind.Compressed) return true;
      return zero ? all && kind === ExtentKind.Unallocated : kind === ExtentKind.Zero;
    };
    let any = false;
    for (let i = 0; i < count && !any; i++) any = wanted(present, first + i);
    if (!any) return;
    const table = yield* this.ownTable(index, refcounts);
    for (let i = 0; i < count; i++)
      if (wanted(table, first + i)) this.change(table, first + i, 0, zero ? ZERO : 0, refcounts);
  }

  get dirty(): boolean {
    return this.l1.dirty || this.tables.hasDirty;
  }

  /** Whether tables should be written before more of them change. */
  crowded(): boolean {
    return this.tables.crowded();
  }

  /** Writes new L2 tables, which nothing durable refers to. Allowed at any time. */
  *writeFresh(): Steps<void> {
    for (const table of this.tables.dirty()) if (table.fresh) yield* table.write(this.file);
  }

  /** Writes the L1 table and changed L2 tables. Everything that they refer to must be durable. */
  *writeLinks(): Steps<void> {
    for (const table of this.tables.dirty()) yield* table.write(this.file);
    // From here on something in the file may refer to them, even if the write fails.
    for (const table of this.tables.all()) table.fresh = false;
    yield* this.l1.write(this.file);
  }

  /** Byte offset of the L2 table of an L1 entry; 0 = there is none. */
  tableOffset(index: number): number {
    return hostOffset(this.l1.view.getUint32(index * 8), this.l1.view.getUint32(index * 8 + 4));
  }

  private entryKind(table: Table, at: number): ExtentKind {
    const high = table.view.getUint32(at * 8);
    return (high & COMPRESSED) !== 0 ? ExtentKind.Compressed : this.kindOf(high, table.view.getUint32(at * 8 + 4));
  }

  /** Kind of an entry that is not compressed. */
  private kindOf(high: number, low: number): ExtentKind {
    if ((low & ZERO) !== 0 && this.version >= 3) return ExtentKind.Zero;
    return (high & OFFSET_HIGH) === 0 && (low & OFFSET_LOW) === 0 ? ExtentKind.Unallocated : ExtentKind.Data;
  }

  private checkHost(host: number, offset: number): void {
    if (host >= this.file.size)
      throw damaged(this.name, `the data of byte ${offset} is at ${host}, behind the end of the file`);
  }

  private *table(index: number): Steps<Table | null> {
    const offset = this.tableOffset(index);
    if (offset === 0) return null;
    this.checkTable(offset, index);
    return yield* this.tables.get(offset);
  }

  private checkTable(offset: number, index: number): void {
    const known = offset % this.geometry.clusterSize === 0 && (offset < this.file.size || this.tables.has(offset));
    if (!known) throw damaged(this.name, `L2 table ${index} is at ${offset}, which is no cluster of the file`);
  }

  /** The L2 table of an L1 entry in a form that may be changed: made if missing, copied if shared. */
  private *ownTable(index: number, refcounts: Refcounts): Steps<Table> {
    const present = yield* this.table(index);
    if (present !== null && (this.l1.view.getUint32(index * 8) & COPIED) !== 0) return present;
    const { offset } = yield* refcounts.allocate(1);
    const table = this.tables.add(offset, present?.bytes.slice());
    this.l1.view.setUint32(index * 8, (COPIED | Math.floor(offset / TWO32)) >>> 0);
    this.l1.view.setUint32(index * 8 + 4, offset % TWO32);
    this.l1.touch(index * 8, index * 8 + 8);
    if (present !== null) refcounts.releaseLater(present.offset, this.geometry.clusterSize);
    return table;
  }

  /** Puts an entry into an own table; what the old one referred to is given back once that is durable. */
  private change(table: Table, at: number, high: number, low: number, refcounts: Refcounts): void {
    const oldHigh = table.view.getUint32(at * 8);
    const oldLow = table.view.getUint32(at * 8 + 4);
    if ((oldHigh & COMPRESSED) !== 0) {
      const { host, packed } = compressedPlace(oldHigh, oldLow, this.geometry.clusterBits);
      refcounts.releaseLater(host, packed);
    } else {
      const host = hostOffset(oldHigh, oldLow);
      if (host !== 0) refcounts.releaseLater(host, this.geometry.clusterSize);
    }
    table.view.setUint32(at * 8, high);
    table.view.setUint32(at * 8 + 4, low);
    table.touch(at * 8, at * 8 + 8);
  }
}

/** Offset in an entry of an L1 table, or of an L2 table if it is not compressed. */
export function hostOffset(high: number, low: number): number {
  return (high & OFFSET_HIGH) * TWO32 + ((low & OFFSET_LOW) >>> 0);
}
