// SPDX-License-Identifier: Apache-2.0
import type { FileHandle } from "node:fs/promises";
import { ContentReader } from "../tree/content-reader.js";
import { type DirectoryNode, type FileTree, type TreeNode, fileTypeBits } from "../tree/file-tree.js";
import { BlockAllocator, type Run } from "./block-allocator.js";
import { type DirectoryEntry, FileType, directoryBlockCount, directoryBlocks } from "./directory-blocks.js";
import { buildExtentTree } from "./extents.js";
import { BLOCK_SIZE, FIRST_INODE, INODE_SIZE, JOURNAL_INODE, ROOT_INODE, planGeometry } from "./geometry.js";
import { EXTENTS_FLAG, INODE_FIXED, encodeDevice, encodeInode } from "./inode.js";
import { writeGroupMetadata } from "./group-metadata.js";
import { SequentialWriter } from "./sequential-writer.js";
import { encodeJournalSuperblock } from "./superblock.js";
import { encodeXattrs } from "./xattr.js";

export interface Ext4Options {
  /** Size of the file system, and of the image file, in bytes. */
  readonly size: number;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
  readonly label: string;
  /** Seconds since 1970: when the file system was made. */
  readonly time: number;
  readonly signal?: AbortSignal;
  /** Bytes of file content written so far, and in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** e2fsck wants room to attach what it finds, without allocating: 16 KiB as mke2fs gives. */
const LOST_FOUND_BLOCKS = 4;
/** A symbolic link shorter than this lives in the inode. */
const FAST_SYMLINK = 60;
/** dir_nlink: a directory with more subdirectories than the field can count says 1. */
const MAX_DIRECTORY_LINKS = 65000;

function entryType(node: TreeNode): FileType {
  switch (node.kind) {
    case "directory":
      return FileType.Directory;
    case "file":
      return FileType.Regular;
    case "symlink":
      return FileType.Symlink;
    case "device":
      return node.device === "char" ? FileType.Char : node.device === "block" ? FileType.Block : FileType.Fifo;
  }
}

function sortedChildren(directory: DirectoryNode): [string, TreeNode][] {
  return [...directory.children].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Directories before their content, siblings by name: inode numbers and blocks follow this order. */
function inodeOrder(root: DirectoryNode): Map<TreeNode, number> {
  const numbers = new Map<TreeNode, number>([[root, ROOT_INODE]]);
  let next = FIRST_INODE + 1;
  const queue: DirectoryNode[] = [root];
  for (let directory = queue.shift(); directory; directory = queue.shift()) {
    for (const [, child] of sortedChildren(directory)) {
      if (!numbers.has(child)) numbers.set(child, next++);
      if (child.kind === "directory") queue.push(child);
    }
  }
  return numbers;
}

/**
 * Writes `tree` as an ext4 file system with a journal into the empty file `handle`. Unused space stays a hole, equal
 * input gives equal bytes, and no file content is held in memory. A `lost+found` in the tree is replaced.
 */
export async function writeExt4(handle: FileHandle, tree: FileTree, options: Ext4Options): Promise<void> {
  tree.remove("lost+found");
  const numbers = inodeOrder(tree.root);
  const links = tree.linkCounts();
  const geometry = planGeometry(options.size, numbers.size);
  const allocator = new BlockAllocator(geometry);
  // Inodes 1 to 11, then everything but the root, which is one of them.
  const inodes = new Uint8Array((FIRST_INODE + numbers.size - 1) * INODE_SIZE);
  const directoriesPerGroup = geometry.groups.map(() => 0);
  const writer = new SequentialWriter(handle);
  const reader = new ContentReader();
  let total = 0;
  for (const node of numbers.keys()) if (node.kind === "file") total += node.content.length;
  let done = 0;

  const put = async (runs: readonly Run[], bytes: Uint8Array): Promise<void> => {
    let at = 0;
    for (const { start, length } of runs) {
      await writer.write(start * BLOCK_SIZE, bytes.subarray(at, at + length * BLOCK_SIZE));
      at += length * BLOCK_SIZE;
    }
  };
  /** Maps runs and stores the inode; returns what its mapping and attributes need beyond the data. */
  const store = async (number: number, node: TreeNode, size: number, nlink: number, runs?: readonly Run[], raw?: Uint8Array): Promise<Uint8Array> => {
    const mapping = runs ? buildExtentTree(runs, () => allocator.allocate(1)[0].start) : undefined;
    for (const leaf of mapping?.leaves ?? []) await writer.write(leaf.block * BLOCK_SIZE, leaf.bytes);
    const xattrs = encodeXattrs(node.meta.xattrs ?? new Map(), INODE_FIXED, `inode ${number}`);
    const xattrBlock = xattrs.block ? allocator.allocate(1)[0].start : 0;
    if (xattrs.block) await writer.write(xattrBlock * BLOCK_SIZE, xattrs.block);
    const iBlock = mapping?.iBlock ?? raw ?? new Uint8Array(60);
    const data = (runs ?? []).reduce((sum, { length }) => sum + length, 0);
    encodeInode(inodes, (number - 1) * INODE_SIZE, {
      mode: fileTypeBits(node) | node.meta.mode,
      uid: node.meta.uid,
      gid: node.meta.gid,
      size,
      mtime: node.meta.mtime,
      links: nlink,
      blocks: data + (mapping?.leaves.length ?? 0) + (xattrBlock ? 1 : 0),
      flags: mapping ? EXTENTS_FLAG : 0,
      iBlock,
      xattrBlock,
      ...(xattrs.inline ? { xattrInline: xattrs.inline } : {}),
    });
    return iBlock;
  };
  const storeDirectory = async (number: number, node: DirectoryNode, entries: DirectoryEntry[], minimum: number): Promise<void> => {
    const count = Math.max(directoryBlockCount(entries.slice(2).map(({ name }) => name)), minimum);
    const runs = allocator.allocate(count);
    await put(runs, directoryBlocks(entries, minimum));
    const nlink = entries.filter(({ type, name }) => type === FileType.Directory && name !== "..").length + 1;
    await store(number, node, count * BLOCK_SIZE, nlink > MAX_DIRECTORY_LINKS ? 1 : nlink, runs);
    directoriesPerGroup[Math.floor((number - 1) / geometry.inodesPerGroup)]++;
  };
  const storeNode = async (node: TreeNode, number: number): Promise<void> => {
    const nlink = links.get(node) ?? 1;
    if (node.kind === "device") {
      await store(number, node, 0, nlink, undefined, encodeDevice(node.major, node.minor));
    } else if (node.kind === "symlink") {
      const target = Buffer.from(node.target, "utf8");
      if (target.length < FAST_SYMLINK) {
        const raw = new Uint8Array(60);
        raw.set(target);
        await store(number, node, target.length, nlink, undefined, raw);
      } else {
        const runs = allocator.allocate(1);
        await writer.write(runs[0].start * BLOCK_SIZE, target);
        await store(number, node, target.length, nlink, runs);
      }
    } else if (node.kind === "file") {
      const size = node.content.length;
      const runs = allocator.allocate(Math.ceil(size / BLOCK_SIZE));
      await store(number, node, size, nlink, runs);
      let position = 0;
      let run = 0;
      let runStart = 0;
      for await (const chunk of reader.chunks(node.content)) {
        for (let at = 0; at < chunk.length; ) {
          if (position === runStart + runs[run].length * BLOCK_SIZE) runStart += runs[run++].length * BLOCK_SIZE;
          const room = runStart + runs[run].length * BLOCK_SIZE - position;
          const part = chunk.subarray(at, at + room);
          await writer.write(runs[run].start * BLOCK_SIZE + position - runStart, part);
          at += part.length;
          position += part.length;
        }
        options.signal?.throwIfAborted();
        options.onProgress?.((done += chunk.length), total);
      }
    }
  };

  try {
    await handle.truncate(geometry.blockCount * BLOCK_SIZE);
    const plain = { mode: 0o700, uid: 0, gid: 0, mtime: options.time };
    const lostFound: DirectoryNode = { kind: "directory", meta: plain, children: new Map() };
    const parents = new Map<TreeNode, number>([[tree.root, ROOT_INODE]]);
    for (const [node, number] of numbers) {
      if (node.kind !== "directory") continue;
      const entries: DirectoryEntry[] = [
        { name: ".", inode: number, type: FileType.Directory },
        { name: "..", inode: parents.get(node) ?? ROOT_INODE, type: FileType.Directory },
      ];
      if (node === tree.root) entries.push({ name: "lost+found", inode: FIRST_INODE, type: FileType.Directory });
      for (const [name, child] of sortedChildren(node)) {
        parents.set(child, number);
        entries.push({ name, inode: numbers.get(child) ?? 0, type: entryType(child) });
      }
      await storeDirectory(number, node, entries, 1);
      if (node !== tree.root) continue;
      const own: DirectoryEntry[] = [
        { name: ".", inode: FIRST_INODE, type: FileType.Directory },
        { name: "..", inode: ROOT_INODE, type: FileType.Directory },
      ];
      await storeDirectory(FIRST_INODE, lostFound, own, LOST_FOUND_BLOCKS);
    }
    const journalRun = allocator.allocateContiguous(geometry.journalBlocks);
    const journalSize = geometry.journalBlocks * BLOCK_SIZE;
    const journalNode: TreeNode = {
      kind: "file",
      meta: { ...plain, mode: 0o600 },
      content: { kind: "bytes", bytes: new Uint8Array(0), length: 0 },
    };
    const journalIBlock = await store(JOURNAL_INODE, journalNode, journalSize, 1, [journalRun]);
    await writer.write(journalRun.start * BLOCK_SIZE, encodeJournalSuperblock(geometry.journalBlocks, options.uuid));
    for (const [node, number] of numbers) if (node.kind !== "directory") await storeNode(node, number);
    await writer.flush();
    const identity = { uuid: options.uuid, label: options.label, time: options.time, journalIBlock, journalSize };
    await writeGroupMetadata(writer, geometry, allocator, { inodes, directoriesPerGroup, identity });
    await writer.flush();
  } finally {
    await reader.close();
  }
}
