// SPDX-License-Identifier: Apache-2.0
import { INODE_SIZE } from "./geometry.js";

/** The inode's mapping is an extent tree. */
export const EXTENTS_FLAG = 0x80000;
/** Bytes of an inode that have a meaning here: the 128 of ext2 and the 32 that `i_extra_isize` counts. */
export const INODE_FIXED = 160;

export interface InodeFields {
  /** S_IFMT and permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes. */
  readonly size: number;
  /** Seconds since 1970; every time stamp of the inode. */
  readonly mtime: number;
  readonly links: number;
  /** Blocks of the file system that belong to it, index and attribute blocks included. */
  readonly blocks: number;
  readonly flags: number;
  /** 60 bytes: extent tree, short symbolic link or device number. */
  readonly iBlock: Uint8Array;
  readonly xattrBlock: number;
  readonly xattrInline?: Uint8Array;
}

/** Writes an inode at `offset` of `table` (struct ext4_inode). */
export function encodeInode(table: Uint8Array, offset: number, inode: InodeFields): void {
  const view = new DataView(table.buffer, table.byteOffset + offset, INODE_SIZE);
  const seconds = Math.max(0, inode.mtime);
  const low = seconds >>> 0;
  // The two lowest bits of the extra word carry the time past 2038; the rest are nanoseconds.
  const epoch = Math.floor((seconds + 2 ** 31) / 2 ** 32) & 3;
  const sectors = inode.blocks * 8;
  view.setUint16(0x00, inode.mode, true);
  view.setUint16(0x02, inode.uid & 0xffff, true);
  view.setUint32(0x04, inode.size >>> 0, true);
  for (const at of [0x08, 0x0c, 0x10]) view.setUint32(at, low, true);
  view.setUint16(0x18, inode.gid & 0xffff, true);
  view.setUint16(0x1a, inode.links, true);
  view.setUint32(0x1c, sectors >>> 0, true);
  view.setUint32(0x20, inode.flags, true);
  new Uint8Array(view.buffer, view.byteOffset + 0x28, 60).set(inode.iBlock);
  view.setUint32(0x68, inode.xattrBlock, true);
  view.setUint32(0x6c, Math.floor(inode.size / 2 ** 32), true);
  view.setUint16(0x74, Math.floor(sectors / 2 ** 32), true);
  view.setUint16(0x78, inode.uid >>> 16, true);
  view.setUint16(0x7a, inode.gid >>> 16, true);
  view.setUint16(0x80, INODE_FIXED - 128, true);
  for (const at of [0x84, 0x88, 0x8c, 0x94]) view.setUint32(at, epoch, true);
  view.setUint32(0x90, low, true);
  if (inode.xattrInline) new Uint8Array(view.buffer, view.byteOffset + INODE_FIXED).set(inode.xattrInline);
}

/** A device number in `i_block`: the old 16-bit form where it fits, else the new one (fs/ext4, `old_encode_dev`). */
export function encodeDevice(major: number, minor: number): Uint8Array {
  const bytes = new Uint8Array(60);
  const view = new DataView(bytes.buffer);
  if (major < 256 && minor < 256) view.setUint32(0, (major << 8) | minor, true);
  else view.setUint32(4, ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0, true);
  return bytes;
}
