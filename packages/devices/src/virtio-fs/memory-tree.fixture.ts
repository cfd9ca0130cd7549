// SPDX-License-Identifier: Apache-2.0
import {
  type DirectoryEntry,
  type FileAttributes,
  type FileChanges,
  type FileKind,
  type FileNode,
  type FileSystemSpace,
  type FileTree,
  FileTreeError,
  type OpenFile,
} from "@isola/ports";
import { Errno } from "./fuse-abi.js";

class MemoryNode implements FileNode {
  bytes = new Uint8Array();
  mode = 0o644;
  readonly children = new Map<string, MemoryNode>();

  constructor(
    readonly kind: FileKind,
    readonly number: number,
  ) {}

  get identity(): string {
    return String(this.number);
  }
}

const keyOf = (name: Uint8Array) => String.fromCharCode(...name);

/** A tree of files in memory that counts what is held of it. */
export class MemoryTree implements FileTree {
  readonly capacity = 64;
  readonly root: MemoryNode;
  openFiles = 0;
  private made = 0;

  constructor(readonly readOnly = false) {
    this.root = this.make("directory");
  }

  async lookUp(directory: FileNode, name: Uint8Array): Promise<MemoryNode> {
    const found = (directory as MemoryNode).children.get(keyOf(name));
    if (found === undefined) throw new FileTreeError(Errno.NoEntry);
    return found;
  }

  release(): void {}

  async attributes(node: FileNode): Promise<FileAttributes> {
    const { number, bytes, mode, kind } = node as MemoryNode;
    const type = kind === "directory" ? 0o040000 : kind === "symlink" ? 0o120000 : 0o100000;
    const time = { seconds: 1, nanoseconds: 2 };
    const times = { accessed: time, modified: time, changed: time };
    return {
      inode: BigInt(number),
      size: bytes.length,
      blocks: 1,
      mode: type | mode,
      links: 1,
      uid: 0,
      gid: 0,
      ...times,
    };
  }

  async change(node: FileNode, { mode, size }: FileChanges): Promise<void> {
    const file = node as MemoryNode;
    if (mode !== undefined) file.mode = mode;
    if (size !== undefined) await this.opened(file).resize(size);
  }

  async readLink(node: FileNode): Promise<Uint8Array> {
    return (node as MemoryNode).bytes;
  }

  async list(directory: FileNode): Promise<DirectoryEntry[]> {
    return [...(directory as MemoryNode).children].map(([name, { kind }]) => ({
      name: Uint8Array.from(name, (c) => c.charCodeAt(0)),
      kind,
    }));
  }

  async open(node: FileNode): Promise<OpenFile> {
    this.openFiles++;
    return this.opened(node as MemoryNode);
  }

  async create(directory: FileNode, name: Uint8Array, permissions: number) {
    const node = this.put(directory, name, "file");
    node.mode = permissions;
    return { node, file: await this.open(node) };
  }

  async makeDirectory(directory: FileNode, name: Uint8Array): Promise<MemoryNode> {
    return this.put(directory, name, "directory");
  }

  async makeLink(directory: FileNode, name: Uint8Array, target: Uint8Array): Promise<MemoryNode> {
    const node = this.put(directory, name, "symlink");
    node.bytes = target.slice();
    return node;
  }

  async removeFile(directory: FileNode, name: Uint8Array): Promise<void> {
    if (!(directory as MemoryNode).children.delete(keyOf(name))) throw new FileTreeError(Errno.NoEntry);
  }

  async removeDirectory(directory: FileNode, name: Uint8Array): Promise<void> {
    await this.removeFile(directory, name);
  }

  async rename(from: FileNode, name: Uint8Array, to: FileNode, newName: Uint8Array): Promise<void> {
    const node = await this.lookUp(from, name);
    await this.removeFile(from, name);
    (to as MemoryNode).children.set(keyOf(newName), node);
  }

  async space(): Promise<FileSystemSpace> {
    return { blockSize: 4096, blocks: 9, free: 8, available: 7, files: 6, freeFiles: 5 };
  }

  async close(): Promise<void> {}

  private make(kind: FileKind): MemoryNode {
    return new MemoryNode(kind, ++this.made);
  }

  private put(directory: FileNode, name: Uint8Array, kind: FileKind): MemoryNode {
    const node = this.make(kind);
    (directory as MemoryNode).children.set(keyOf(name), node);
    return node;
  }

  private opened(node: MemoryNode): OpenFile {
    const resize = async (size: number) => {
      if (size > 1 << 20) throw new FileTreeError(27);
      const bytes = new Uint8Array(size);
      bytes.set(node.bytes.subarray(0, size));
      node.bytes = bytes;
    };
    return {
      async read(offset, into) {
        const part = node.bytes.subarray(offset, offset + into.length);
        into.set(part);
        return part.length;
      },
      async write(offset, bytes) {
        if (offset + bytes.length > node.bytes.length) await resize(offset + bytes.length);
        node.bytes.set(bytes, offset);
      },
      resize,
      attributes: () => this.attributes(node),
      flush: async () => {},
      close: async () => void this.openFiles--,
    };
  }
}
