// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { Geometry } from "./geometry.js";

/** A run of blocks on the disk. */
export interface Run {
  readonly start: number;
  readonly length: number;
}

/** Hands out data blocks from low to high; nothing is ever given back, since the whole tree is known beforehand. */
export class BlockAllocator {
  private group = 0;
  private next: number;
  /** Data blocks taken in each group. */
  private readonly taken: number[];

  constructor(private readonly geometry: Geometry) {
    this.next = geometry.groups[0].firstDataBlock;
    this.taken = geometry.groups.map(() => 0);
  }

  /** `count` blocks in as few runs as the group boundaries allow. */
  allocate(count: number): Run[] {
    const runs: Run[] = [];
    let missing = count;
    while (missing > 0) {
      const group = this.geometry.groups[this.group];
      const length = Math.min(missing, group.firstBlock + group.blocks - this.next);
      if (length > 0) {
        runs.push({ start: this.next, length });
        this.next += length;
        this.taken[this.group] += length;
        missing -= length;
      }
      if (missing > 0) this.enter(this.group + 1);
    }
    return runs;
  }

  /** `count` blocks in one run: goes on in the next group if this one has no room left for it. */
  allocateContiguous(count: number): Run {
    const group = this.geometry.groups[this.group];
    if (group.firstBlock + group.blocks - this.next < count) {
      const later = this.geometry.groups.findIndex(
        ({ index, firstBlock, blocks, firstDataBlock }) =>
          index > this.group && firstBlock + blocks - firstDataBlock >= count,
      );
      this.enter(later < 0 ? this.geometry.groups.length : later);
    }
    const [run] = this.allocate(count);
    return run;
  }

  /** Blocks of a group that are in use: its metadata and what was handed out, which is always a prefix. */
  usedInGroup(index: number): number {
    const { firstBlock, firstDataBlock } = this.geometry.groups[index];
    return firstDataBlock - firstBlock + this.taken[index];
  }

  private enter(index: number): void {
    if (index >= this.geometry.groups.length) {
      const mib = Math.floor((this.geometry.blockCount * 4096) / 2 ** 20);
      throw new OperatorError("DISK_TOO_SMALL", `the files do not fit a disk of ${mib} MiB: make it larger`);
    }
    this.group = index;
    this.next = this.geometry.groups[index].firstDataBlock;
  }
}
