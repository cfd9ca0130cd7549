// SPDX-License-Identifier: Apache-2.0
import { BLOCKS_PER_GROUP, FIRST_INODE, type Geometry, INODE_SIZE, JOURNAL_INODE } from "./geometry.js";

const COMPAT_HAS_JOURNAL = 0x4;
const COMPAT_EXT_ATTR = 0x8;
const COMPAT_DIR_INDEX = 0x20;
const INCOMPAT_FILETYPE = 0x2;
const INCOMPAT_EXTENTS = 0x40;
const RO_COMPAT_SPARSE_SUPER = 0x1;
const RO_COMPAT_LARGE_FILE = 0x2;
const RO_COMPAT_HUGE_FILE = 0x8;
const RO_COMPAT_DIR_NLINK = 0x20;
const RO_COMPAT_EXTRA_ISIZE = 0x40;

/** What differs from one file system to the next. */
export interface SuperblockFields {
  /** 16 bytes. */
  readonly uuid: Uint8Array;
  /** At most 16 bytes of ASCII. */
  readonly label: string;
  /** When it was made, seconds since 1970. */
  readonly time: number;
  readonly freeBlocks: number;
  readonly freeInodes: number;
  /** `i_block` and size of the journal's inode, of which the superblock keeps a copy. */
  readonly journalIBlock: Uint8Array;
  readonly journalSize: number;
}

/** The 1024 bytes of struct ext4_super_block, as stored in block group `group`. */
export function encodeSuperblock(geometry: Geometry, fields: SuperblockFields, group: number): Uint8Array {
  const bytes = new Uint8Array(1024);
  const view = new DataView(bytes.buffer);
  const u16 = (at: number, value: number): void => view.setUint16(at, value, true);
  const u32 = (at: number, value: number): void => view.setUint32(at, value, true);
  u32(0x00, geometry.inodesPerGroup * geometry.groups.length);
  u32(0x04, geometry.blockCount);
  u32(0x08, Math.floor(geometry.blockCount / 100)); // kept for root
  u32(0x0c, fields.freeBlocks);
  u32(0x10, fields.freeInodes);
  u32(0x14, 0); // first data block: the block of the superblock
  u32(0x18, 2); // block size 1024 << 2
  u32(0x1c, 2);
  u32(0x20, BLOCKS_PER_GROUP);
  u32(0x24, BLOCKS_PER_GROUP);
  u32(0x28, geometry.inodesPerGroup);
  u32(0x30, fields.time);
  u16(0x36, 0xffff); // never check because of the number of mounts
  u16(0x38, 0xef53);
  u16(0x3a, 1); // clean
  u16(0x3c, 1); // on errors: continue
  u32(0x40, fields.time);
  u32(0x4c, 1); // dynamic revision
  u32(0x54, FIRST_INODE);
  u16(0x58, INODE_SIZE);
  u16(0x5a, group);
  u32(0x5c, COMPAT_HAS_JOURNAL | COMPAT_EXT_ATTR | COMPAT_DIR_INDEX);
  u32(0x60, INCOMPAT_FILETYPE | INCOMPAT_EXTENTS);
  u32(
    0x64,
    RO_COMPAT_SPARSE_SUPER | RO_COMPAT_LARGE_FILE | RO_COMPAT_HUGE_FILE | RO_COMPAT_DIR_NLINK | RO_COMPAT_EXTRA_ISIZE,
  );
  bytes.set(fields.uuid, 0x68);
  bytes.set(Buffer.from(fields.label, "ascii").subarray(0, 16), 0x78);
  u32(0xe0, JOURNAL_INODE);
  bytes.set(fields.uuid, 0xec); // seed of directory hashes
  view.setUint8(0xfc, 1); // half MD4
  view.setUint8(0xfd, 1); // the copy of the journal's inode below is valid
  u32(0x100, 0x000c); // default mount options: user_xattr, acl
  u32(0x108, fields.time);
  bytes.set(fields.journalIBlock, 0x10c);
  u32(0x10c + 60, Math.floor(fields.journalSize / 2 ** 32));
  u32(0x10c + 64, fields.journalSize >>> 0);
  u16(0x15c, 32); // inodes have at least, and want, 32 extra bytes
  u16(0x15e, 32);
  u32(0x160, 1); // directory hashes use signed characters, as on x86
  return bytes;
}

/** What a block group's descriptor counts. */
export interface GroupCounts {
  readonly freeBlocks: number;
  readonly freeInodes: number;
  readonly directories: number;
}

/** The table of 32-byte group descriptors (struct ext4_group_desc), in whole blocks. */
export function encodeDescriptors(geometry: Geometry, counts: readonly GroupCounts[]): Uint8Array {
  const bytes = new Uint8Array(geometry.descriptorBlocks * 4096);
  const view = new DataView(bytes.buffer);
  geometry.groups.forEach((group, i) => {
    const at = i * 32;
    view.setUint32(at, group.blockBitmap, true);
    view.setUint32(at + 4, group.inodeBitmap, true);
    view.setUint32(at + 8, group.inodeTable, true);
    view.setUint16(at + 12, counts[i].freeBlocks, true);
    view.setUint16(at + 14, counts[i].freeInodes, true);
    view.setUint16(at + 16, counts[i].directories, true);
  });
  return bytes;
}

/** The journal's first block: an empty log (jbd2 superblock version 2; big-endian). */
export function encodeJournalSuperblock(blocks: number, uuid: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  view.setUint32(0x00, 0xc03b3998);
  view.setUint32(0x04, 4); // superblock, version 2
  view.setUint32(0x0c, 4096);
  view.setUint32(0x10, blocks);
  view.setUint32(0x14, 1); // first block of the log
  view.setUint32(0x18, 1); // first commit id expected
  view.setUint32(0x1c, 0); // start: nothing to replay
  bytes.set(uuid, 0x30);
  view.setUint32(0x40, 1); // one file system uses it
  return bytes;
}
