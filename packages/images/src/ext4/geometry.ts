// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";

/** Names and numbers in this folder follow the kernel's documentation, "ext4 Data Structures and Algorithms". */
export const BLOCK_SIZE = 4096;
export const INODE_SIZE = 256;
/** One block of bitmap describes a group. */
export const BLOCKS_PER_GROUP = BLOCK_SIZE * 8;
const DESCRIPTOR_SIZE = 32;
/** One inode for this many bytes of disk, the ratio that mke2fs uses. */
const BYTES_PER_INODE = 16384;
const INODES_PER_BLOCK = BLOCK_SIZE / INODE_SIZE;

export const ROOT_INODE = 2;
export const JOURNAL_INODE = 8;
/** The first inode that is not reserved; lost+found takes it. */
export const FIRST_INODE = 11;

/** Where one block group keeps its metadata (block numbers). */
export interface GroupLayout {
  readonly index: number;
  readonly firstBlock: number;
  /** Blocks of this group; the last one may be shorter. */
  readonly blocks: number;
  /** Whether it starts with a superblock and a copy of the descriptors (sparse_super). */
  readonly hasSuper: boolean;
  readonly blockBitmap: number;
  readonly inodeBitmap: number;
  readonly inodeTable: number;
  readonly firstDataBlock: number;
}

/** How a file system of a given size is divided. */
export interface Geometry {
  readonly blockCount: number;
  readonly inodesPerGroup: number;
  readonly inodeTableBlocks: number;
  readonly descriptorBlocks: number;
  readonly journalBlocks: number;
  readonly groups: readonly GroupLayout[];
}

function isPowerOf(base: number, value: number): boolean {
  let power = base;
  while (power < value) power *= base;
  return power === value;
}

/** sparse_super: copies in groups 0, 1 and the powers of 3, 5 and 7. */
function hasSuper(group: number): boolean {
  return group <= 1 || isPowerOf(3, group) || isPowerOf(5, group) || isPowerOf(7, group);
}

/** A journal as large as mke2fs would choose, bounded to what small guests need (blocks). */
function journalBlocks(blockCount: number): number {
  if (blockCount < 32768) return 1024;
  if (blockCount < 262144) return 4096;
  return 8192;
}

/**
 * Divides a disk of `sizeBytes` (rounded down to whole blocks) for at least `inodeCount` inodes. The smallest disk is
 * 8 MiB; the largest is what 32-bit block numbers reach, 16 TiB.
 */
export function planGeometry(sizeBytes: number, inodeCount: number): Geometry {
  let blockCount = Math.floor(sizeBytes / BLOCK_SIZE);
  if (blockCount < 2048 || blockCount > 0xffffffff) {
    throw new OperatorError("DISK_SIZE_INVALID", `a disk of ${sizeBytes} bytes: choose between 8 MiB and 16 TiB`);
  }
  const groupCount = Math.ceil(blockCount / BLOCKS_PER_GROUP);
  const wantedInodes = Math.max(Math.floor((blockCount * BLOCK_SIZE) / BYTES_PER_INODE), inodeCount + FIRST_INODE);
  const tableBlocks = Math.ceil(wantedInodes / groupCount / INODES_PER_BLOCK);
  // An inode bitmap is one block too; more inodes than it has bits would need more groups.
  if (tableBlocks * INODES_PER_BLOCK > BLOCKS_PER_GROUP) {
    throw new OperatorError(
      "DISK_TOO_SMALL",
      `${inodeCount} files do not fit a disk of ${sizeBytes} bytes: make it larger`,
    );
  }
  const descriptorBlocks = Math.ceil((groupCount * DESCRIPTOR_SIZE) / BLOCK_SIZE);
  const groups: GroupLayout[] = [];
  for (let index = 0; index < groupCount; index++) {
    const firstBlock = index * BLOCKS_PER_GROUP;
    const blockBitmap = firstBlock + (hasSuper(index) ? 1 + descriptorBlocks : 0);
    const firstDataBlock = blockBitmap + 2 + tableBlocks;
    const blocks = Math.min(BLOCKS_PER_GROUP, blockCount - firstBlock);
    // A tail too short for its own metadata is left out of the file system, as mke2fs does.
    if (index > 0 && firstDataBlock + 50 > firstBlock + blocks) {
      blockCount = firstBlock;
      break;
    }
    groups.push({
      index,
      firstBlock,
      blocks,
      hasSuper: hasSuper(index),
      blockBitmap,
      inodeBitmap: blockBitmap + 1,
      inodeTable: blockBitmap + 2,
      firstDataBlock,
    });
  }
  return {
    blockCount,
    inodesPerGroup: tableBlocks * INODES_PER_BLOCK,
    inodeTableBlocks: tableBlocks,
    descriptorBlocks,
    journalBlocks: journalBlocks(blockCount),
    groups,
  };
}
