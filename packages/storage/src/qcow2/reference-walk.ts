// SPDX-License-Identifier: Apache-2.0
import type { BlockStore } from "@isola/ports";
import { readClipped } from "../clipped-read.js";
import { damaged } from "../image-error.js";
import { getU64, viewOf } from "../integers.js";
import type { Steps } from "../steps.js";
import { compressedPlace, hostOffset } from "./cluster-map.js";
import { COMPRESSED, MAX_L1_BYTES } from "./format.js";
import type { Header } from "./header.js";
import { ReferenceCounts } from "./reference-counts.js";
import { readSnapshots } from "./snapshots.js";

/** Hears of what does not fit. */
export type Complain = (what: string) => void;

/** What refers to which cluster, and how much data there is. */
export interface References {
  readonly counts: ReferenceCounts;
  /** Clusters of the present disk that have data of their own. */
  readonly allocated: number;
  readonly compressed: number;
}

/**
 * Follows every reference of the image but those of the refcounts themselves. Every table is read as often as it is
 * referred to, as the format counts; what leads outside the file is told and left out.
 */
export class ReferenceWalk {
  readonly counts = new ReferenceCounts();
  private allocated = 0;
  private compressed = 0;

  constructor(
    private readonly file: BlockStore,
    private readonly name: string,
    private readonly header: Header,
    private readonly complain: Complain,
  ) {}

  *walk(): Steps<References> {
    const { header, name } = this;
    this.range("the header", 0, 1);
    yield* this.walkL1("", header.l1.offset, header.l1.entries, true);
    const table = yield* readSnapshots(this.file, name, header);
    if (table.bytes > 0) this.range("the snapshot table", header.snapshots.offset, table.bytes);
    for (const { id, l1Offset, l1Entries } of table.snapshots)
      yield* this.walkL1(` of snapshot ${id}`, l1Offset, l1Entries, false);
    yield* this.walkBitmaps();
    return { counts: this.counts, allocated: this.allocated, compressed: this.compressed };
  }

  /** Counts the clusters of `bytes` from `offset` on; false if they are not in the file. */
  range(what: string, offset: number, bytes: number): boolean {
    const { clusterSize } = this.header.geometry;
    const end = offset + bytes;
    // The last cluster of a file need not be there to its end.
    if (end > Math.ceil(this.file.size / clusterSize) * clusterSize) {
      this.complain(`${what} is at ${offset}, behind the end of the file`);
      return false;
    }
    for (let cluster = Math.floor(offset / clusterSize); cluster * clusterSize < end; cluster++)
      this.counts.add(cluster);
    return true;
  }

  private *walkL1(whose: string, offset: number, entries: number, active: boolean): Steps<void> {
    const { clusterSize } = this.header.geometry;
    if (entries === 0) return;
    if (entries * 8 > MAX_L1_BYTES || offset % clusterSize !== 0)
      return this.complain(`the L1 table${whose} has ${entries} entries at ${offset}`);
    if (!this.range(`the L1 table${whose}`, offset, entries * 8)) return;
    const l1 = new Uint8Array(entries * 8);
    yield* readClipped(this.file, offset, l1);
    const view = viewOf(l1);
    const l2 = new Uint8Array(clusterSize);
    const seen = new Set<number>();
    for (let i = 0; i < entries; i++) {
      const at = hostOffset(view.getUint32(i * 8), view.getUint32(i * 8 + 4));
      if (at === 0) continue;
      if (at % clusterSize !== 0) this.complain(`L2 table ${i}${whose} is at ${at}, not at a cluster`);
      else if (seen.has(at)) this.complain(`L2 table ${i}${whose} is at ${at}, as another is`);
      else if (this.range(`L2 table ${i}${whose}`, at, clusterSize)) {
        seen.add(at);
        yield* readClipped(this.file, at, l2);
        this.walkL2(viewOf(l2), `${i}${whose}`, active);
      }
    }
  }

  private walkL2(l2: DataView, which: string, active: boolean): void {
    const { clusterBits, clusterSize } = this.header.geometry;
    for (let at = 0; at < clusterSize; at += 8) {
      const high = l2.getUint32(at);
      const low = l2.getUint32(at + 4);
      const what = `entry ${at / 8} of L2 table ${which}`;
      if ((high & COMPRESSED) !== 0) {
        const { host, packed } = compressedPlace(high, low, clusterBits);
        // What is stored is how many sectors it touches, of which the last need not be in the file.
        const inFile = this.range(what, host, Math.min(packed, Math.max(1, this.file.size - host)));
        if (inFile && active) this.compressed++;
        if (inFile && active) this.allocated++;
        continue;
      }
      const host = hostOffset(high, low);
      if (host === 0) continue;
      if (host % clusterSize !== 0) this.complain(`${what} is at ${host}, not at a cluster`);
      else if (this.range(what, host, clusterSize) && active) this.allocated++;
    }
  }

  /** Persistent bitmaps: a directory of tables of clusters. */
  private *walkBitmaps(): Steps<void> {
    const { bitmaps, geometry } = this.header;
    if (bitmaps === null || !this.range("the bitmap directory", bitmaps.offset, bitmaps.bytes)) return;
    if (bitmaps.bytes > MAX_L1_BYTES) throw damaged(this.name, "its bitmap directory is too large");
    const directory = new Uint8Array(bitmaps.bytes);
    yield* readClipped(this.file, bitmaps.offset, directory);
    const view = viewOf(directory);
    for (let at = 0; at + 24 <= directory.length;) {
      const offset = getU64(view, at);
      const entries = view.getUint32(at + 8);
      if (entries * 8 > MAX_L1_BYTES) return this.complain(`a bitmap of ${entries} clusters`);
      if (this.range("a bitmap table", offset, entries * 8)) {
        const table = new Uint8Array(entries * 8);
        yield* readClipped(this.file, offset, table);
        for (let i = 0; i < table.length; i += 8) {
          const host = hostOffset(viewOf(table).getUint32(i), viewOf(table).getUint32(i + 4));
          if (host !== 0) this.range("a bitmap's cluster", host, geometry.clusterSize);
        }
      }
      at += Math.ceil((24 + view.getUint16(at + 18) + view.getUint32(at + 20)) / 8) * 8;
    }
  }
}
