// SPDX-License-Identifier: Apache-2.0
import type { BlockAllocator } from "./block-allocator.js";
import { BLOCK_SIZE, type Geometry, INODE_SIZE } from "./geometry.js";
import type { SequentialWriter } from "./sequential-writer.js";
import { type GroupCounts, type SuperblockFields, encodeDescriptors, encodeSuperblock } from "./superblock.js";

/** What the groups' tables are made of, once all blocks and inodes have been given out. */
export interface GroupContents {
  /** The used part of the inode table, from inode 1 on. */
  readonly inodes: Uint8Array;
  readonly directoriesPerGroup: readonly number[];
  readonly identity: Omit<SuperblockFields, "freeBlocks" | "freeInodes">;
}

/** A bitmap block with bits `0..used` set, and those from `valid` on, which stand for nothing. */
function prefixBitmap(used: number, valid: number): Uint8Array {
  const bytes = new Uint8Array(BLOCK_SIZE);
  const set = (from: number, to: number): void => {
    for (let bit = from; bit < to; bit++) {
      if ((bit & 7) === 0 && bit + 8 <= to) {
        bytes[bit >> 3] = 0xff;
        bit += 7;
      } else bytes[bit >> 3] |= 1 << (bit & 7);
    }
  };
  set(0, used);
  set(valid, BLOCK_SIZE * 8);
  return bytes;
}

/** Writes bitmaps, inode tables, group descriptors and superblocks. Both blocks and inodes are used from the front. */
export async function writeGroupMetadata(
  writer: SequentialWriter,
  geometry: Geometry,
  allocator: BlockAllocator,
  contents: GroupContents,
): Promise<void> {
  const { inodesPerGroup, groups } = geometry;
  const usedInodes = contents.inodes.length / INODE_SIZE;
  const counts: GroupCounts[] = [];
  for (const group of groups) {
    const usedBlocks = allocator.usedInGroup(group.index);
    const inodes = Math.min(Math.max(usedInodes - group.index * inodesPerGroup, 0), inodesPerGroup);
    counts.push({
      freeBlocks: group.blocks - usedBlocks,
      freeInodes: inodesPerGroup - inodes,
      directories: contents.directoriesPerGroup[group.index],
    });
    await writer.write(group.blockBitmap * BLOCK_SIZE, prefixBitmap(usedBlocks, group.blocks));
    await writer.write(group.inodeBitmap * BLOCK_SIZE, prefixBitmap(inodes, inodesPerGroup));
    const first = group.index * inodesPerGroup * INODE_SIZE;
    if (inodes > 0) {
      await writer.write(group.inodeTable * BLOCK_SIZE, contents.inodes.subarray(first, first + inodes * INODE_SIZE));
    }
  }
  const sum = (pick: (count: GroupCounts) => number): number => counts.reduce((total, count) => total + pick(count), 0);
  const fields = { ...contents.identity, freeBlocks: sum((c) => c.freeBlocks), freeInodes: sum((c) => c.freeInodes) };
  const descriptors = encodeDescriptors(geometry, counts);
  for (const group of groups) {
    if (!group.hasSuper) continue;
    const start = group.firstBlock * BLOCK_SIZE;
    // The first 1024 bytes of the disk belong to boot loaders.
    await writer.write(start + (group.index === 0 ? 1024 : 0), encodeSuperblock(geometry, fields, group.index));
    await writer.write(start + BLOCK_SIZE, descriptors);
  }
}
