// SPDX-License-Identifier: Apache-2.0
import type { FileHandle } from "node:fs/promises";
import { ContentReader } from "../tree/content-reader.js";
import { type DirectoryNode, type FileNode, type FileTree, type TreeNode, fileTypeBits } from "../tree/file-tree.js";
import { BlockAllocator, type Run } from "./block-allocator.js";
import { type DirectoryEntry, FileType, directoryBlockCount, directoryBlocks } from "./directory-blocks.js";
import { buildExtentTree } from "./extents.js";
import {
  BLOCK_SIZE,
  FIRST_INODE,
  type Geometry,
  INODE_SIZE,
  JOURNAL_INODE,
  ROOT_INODE,
  planGeometry,
} from "./geometry.js";
import { writeGroupMetadata } from "./group-metadata.js";
import { EXTENTS_FLAG, INODE_FIXED, encodeDevice, encodeInode } from "./inode.js";
import { SequentialWriter } from "./sequential-writer.js";
import { encodeJournalSuperblock } from "./superblock.js";
import { encodeXattrs } from "./xattr.js";

export interface Ext4Options {
  /** Size of the file system, and of the image file, in bytes. */
  readonly size: number;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
  /** At most 16 ASCII characters. */
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

/** Breadth first, siblings by name: inode numbers and blocks follow this order. */
function numberInodes(root: DirectoryNode): Map<TreeNode, number> {
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

/** What an inode says beyond its node's own metadata. */
interface Placement {
  /** Bytes. */
  readonly size: number;
  readonly links: number;
  /** Data blocks; without them `raw` is the inode's `i_block`. */
  readonly runs?: readonly Run[];
  readonly raw?: Uint8Array;
}

/** The state of one file system being written. */
class Ext4Writer {
  private readonly numbers: Map<TreeNode, number>;
  private readonly links: Map<TreeNode, number>;
  private readonly geometry: Geometry;
  private readonly allocator: BlockAllocator;
  /** The used part of the inode table, from inode 1 on. */
  private readonly inodes: Uint8Array;
  private readonly directoriesPerGroup: number[];
  private readonly writer: SequentialWriter;
  private readonly reader = new ContentReader();
  private readonly total: number;
  private done = 0;

  constructor(
    private readonly handle: FileHandle,
    private readonly tree: FileTree,
    private readonly options: Ext4Options,
  ) {
    this.numbers = numberInodes(tree.root);
    this.links = tree.linkCounts();
    this.geometry = planGeometry(options.size, this.numbers.size);
    this.allocator = new BlockAllocator(this.geometry);
    // Inodes 1 to 11, then everything but the root, which is one of them.
    this.inodes = new Uint8Array((FIRST_INODE + this.numbers.size - 1) * INODE_SIZE);
    this.directoriesPerGroup = this.geometry.groups.map(() => 0);
    this.writer = new SequentialWriter(handle);
    let total = 0;
    for (const node of this.numbers.keys()) if (node.kind === "file") total += node.content.length;
    this.total = total;
  }

  async write(): Promise<void> {
    const { uuid, label, time } = this.options;
    try {
      await this.handle.truncate(this.geometry.blockCount * BLOCK_SIZE);
      await this.writeDirectories();
      const journalIBlock = await this.writeJournal();
      for (const [node, number] of this.numbers) if (node.kind !== "directory") await this.writeNode(node, number);
      const journalSize = this.geometry.journalBlocks * BLOCK_SIZE;
      await writeGroupMetadata(this.writer, this.geometry, this.allocator, {
        inodes: this.inodes,
        directoriesPerGroup: this.directoriesPerGroup,
        identity: { uuid, label, time, journalIBlock, journalSize },
      });
      await this.writer.flush();
    } finally {
      await this.reader.close();
    }
  }

  /** All directories come first on the disk, so that walking the tree reads one stretch of it. */
  private async writeDirectories(): Promise<void> {
    const parents = new Map<TreeNode, number>();
    for (const [node, number] of this.numbers) {
      if (node.kind !== "directory") continue;
      const entries = [
        { name: ".", inode: number, type: FileType.Directory },
        { name: "..", inode: parents.get(node) ?? ROOT_INODE, type: FileType.Directory },
      ];
      if (node === this.tree.root) {
        entries.push({ name: "lost+found", inode: FIRST_INODE, type: FileType.Directory });
        await this.writeLostFound();
      }
      for (const [name, child] of sortedChildren(node)) {
        parents.set(child, number);
        entries.push({ name, inode: this.numbers.get(child) ?? 0, type: entryType(child) });
      }
      await this.writeDirectory(number, node, entries, 1);
    }
  }

  private async writeLostFound(): Promise<void> {
    const meta = { mode: 0o700, uid: 0, gid: 0, mtime: this.options.time };
    const entries = [
      { name: ".", inode: FIRST_INODE, type: FileType.Directory },
      { name: "..", inode: ROOT_INODE, type: FileType.Directory },
    ];
    await this.writeDirectory(
      FIRST_INODE,
      { kind: "directory", meta, children: new Map() },
      entries,
      LOST_FOUND_BLOCKS,
    );
  }

  private async writeDirectory(
    number: number,
    node: DirectoryNode,
    entries: readonly DirectoryEntry[],
    minimumBlocks: number,
  ): Promise<void> {
    const names = entries.slice(2).map(({ name }) => name);
    const runs = this.allocator.allocate(Math.max(directoryBlockCount(names), minimumBlocks));
    const bytes = directoryBlocks(entries, minimumBlocks);
    let at = 0;
    for (const { start, length } of runs) {
      await this.writer.write(start * BLOCK_SIZE, bytes.subarray(at, at + length * BLOCK_SIZE));
      at += length * BLOCK_SIZE;
    }
    // Its name in the parent, its own "." and the ".." of each subdirectory.
    const subdirectories = entries.slice(2).filter(({ type }) => type === FileType.Directory).length;
    const links = subdirectories + 2 > MAX_DIRECTORY_LINKS ? 1 : subdirectories + 2;
    await this.storeInode(number, node, { size: bytes.length, links, runs });
    this.directoriesPerGroup[Math.floor((number - 1) / this.geometry.inodesPerGroup)]++;
  }

  /** The journal's inode and its empty log; returns the mapping, of which the superblock keeps a copy. */
  private async writeJournal(): Promise<Uint8Array> {
    const { journalBlocks } = this.geometry;
    const run = this.allocator.allocateContiguous(journalBlocks);
    const node: FileNode = {
      kind: "file",
      meta: { mode: 0o600, uid: 0, gid: 0, mtime: this.options.time },
      content: { kind: "bytes", bytes: new Uint8Array(0), length: 0 },
    };
    await this.writer.write(run.start * BLOCK_SIZE, encodeJournalSuperblock(journalBlocks, this.options.uuid));
    return this.storeInode(JOURNAL_INODE, node, { size: journalBlocks * BLOCK_SIZE, links: 1, runs: [run] });
  }

  private async writeNode(node: Exclude<TreeNode, DirectoryNode>, number: number): Promise<void> {
    const links = this.links.get(node) ?? 1;
    if (node.kind === "device") {
      await this.storeInode(number, node, { size: 0, links, raw: encodeDevice(node.major, node.minor) });
    } else if (node.kind === "file") {
      const size = node.content.length;
      const runs = this.allocator.allocate(Math.ceil(size / BLOCK_SIZE));
      await this.storeInode(number, node, { size, links, runs });
      await this.copyContent(node, runs);
    } else {
      const target = Buffer.from(node.target, "utf8");
      if (target.length < FAST_SYMLINK) {
        const raw = new Uint8Array(60);
        raw.set(target);
        await this.storeInode(number, node, { size: target.length, links, raw });
      } else {
        const runs = this.allocator.allocate(1);
        await this.writer.write(runs[0].start * BLOCK_SIZE, target);
        await this.storeInode(number, node, { size: target.length, links, runs });
      }
    }
  }

  private async copyContent(node: FileNode, runs: readonly Run[]): Promise<void> {
    let run = 0;
    /** Bytes of the current run that are written. */
    let filled = 0;
    for await (const chunk of this.reader.chunks(node.content)) {
      for (let at = 0; at < chunk.length;) {
        if (filled === runs[run].length * BLOCK_SIZE) {
          run++;
          filled = 0;
        }
        const part = chunk.subarray(at, at + runs[run].length * BLOCK_SIZE - filled);
        await this.writer.write(runs[run].start * BLOCK_SIZE + filled, part);
        at += part.length;
        filled += part.length;
      }
      this.options.signal?.throwIfAborted();
      this.done += chunk.length;
      this.options.onProgress?.(this.done, this.total);
    }
  }

  /** Stores an inode with the index and attribute blocks it needs; returns its `i_block`. */
  private async storeInode(number: number, node: TreeNode, placement: Placement): Promise<Uint8Array> {
    const { size, links, runs, raw } = placement;
    const mapping = runs && buildExtentTree(runs, () => this.allocator.allocate(1)[0].start);
    for (const leaf of mapping?.leaves ?? []) await this.writer.write(leaf.block * BLOCK_SIZE, leaf.bytes);
    const xattrs = encodeXattrs(node.meta.xattrs ?? new Map(), INODE_FIXED, `inode ${number}`);
    const xattrBlock = xattrs.block ? this.allocator.allocate(1)[0].start : 0;
    if (xattrs.block) await this.writer.write(xattrBlock * BLOCK_SIZE, xattrs.block);
    const iBlock = mapping?.iBlock ?? raw ?? new Uint8Array(60);
    const dataBlocks = (runs ?? []).reduce((sum, { length }) => sum + length, 0);
    encodeInode(this.inodes, (number - 1) * INODE_SIZE, {
      mode: fileTypeBits(node) | node.meta.mode,
      uid: node.meta.uid,
      gid: node.meta.gid,
      size,
      mtime: node.meta.mtime,
      links,
      blocks: dataBlocks + (mapping?.leaves.length ?? 0) + (xattrBlock === 0 ? 0 : 1),
      flags: mapping ? EXTENTS_FLAG : 0,
      iBlock,
      xattrBlock,
      ...(xattrs.inline ? { xattrInline: xattrs.inline } : {}),
    });
    return iBlock;
  }
}

/**
 * Writes `tree` as an ext4 file system with a journal into the empty file `handle`. Unused space stays a hole, equal
 * input gives equal bytes, and no file content is held in memory. A `lost+found` in the tree is replaced.
 */
export async function writeExt4(handle: FileHandle, tree: FileTree, options: Ext4Options): Promise<void> {
  tree.remove("lost+found");
  await new Ext4Writer(handle, tree, options).write();
}
