// SPDX-License-Identifier: Apache-2.0
import { divideUp } from "../integers.js";

/** The sizes that follow from the size of a cluster and the width of a refcount. */
export class Geometry {
  readonly clusterSize: number;
  /** Entries of an L2 table, which fills one cluster. */
  readonly l2Entries: number;
  /** Bytes of the disk that one L2 table maps. */
  readonly l2Span: number;
  /** Refcounts in a refcount block, which fills one cluster. */
  readonly blockEntries: number;

  /**
   * @param clusterBits log2 of the size of a cluster in bytes
   * @param refcountOrder log2 of the width of a refcount in bits
   */
  constructor(
    readonly clusterBits: number,
    readonly refcountOrder: number,
  ) {
    this.clusterSize = 2 ** clusterBits;
    this.l2Entries = this.clusterSize / 8;
    this.l2Span = this.clusterSize * this.l2Entries;
    this.blockEntries = (this.clusterSize * 8) / 2 ** refcountOrder;
  }

  /** Entries of the L1 table of a disk of `size` bytes. */
  l1EntriesFor(size: number): number {
    return divideUp(size, this.l2Span);
  }

  /** Clusters that `bytes` fill. */
  clusters(bytes: number): number {
    return divideUp(bytes, this.clusterSize);
  }
}
