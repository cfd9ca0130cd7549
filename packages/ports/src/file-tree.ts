// SPDX-License-Identifier: Apache-2.0

/** Kinds of things in a file system. */
export type FileKind = "file" | "directory" | "symlink" | "other";

/** A moment: seconds since 1970 and nanoseconds in it. */
export interface FileTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** What is known of a file. Numbers are those of Linux's stat(2). */
export interface FileAttributes {
  /** Tells it from all others of the tree, as long as it exists. */
  readonly inode: bigint;
  readonly size: number;
  /** Blocks of 512 bytes that it takes. */
  readonly blocks: number;
  /** Type and permissions (inode(7)). */
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly accessed: FileTime;
  readonly modified: FileTime;
  readonly changed: FileTime;
}

/** A file, directory or link of a tree, as an object of the tree's own. It stays the same if it is renamed. */
export interface FileNode {
  readonly kind: FileKind;
  /** Equal for two nodes that are the same file. */
  readonly identity: string;
}

/** A regular file that has been opened. */
export interface OpenFile {
  /** Reads up to the length of `into`; returns how much there was. */
  read(offset: number, into: Uint8Array): Promise<number>;
  /** Writes all of `bytes`. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  resize(size: number): Promise<void>;
  attributes(): Promise<FileAttributes>;
  /** Resolves once what was written is on stable storage; without `metadata`, its times may not be. */
  flush(metadata: boolean): Promise<void>;
  close(): Promise<void>;
}

/** Attributes to be changed. */
export interface FileChanges {
  readonly mode?: number;
  readonly size?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly accessed?: FileTime | "now";
  readonly modified?: FileTime | "now";
}

/** One name in a directory. */
export interface DirectoryEntry {
  readonly name: Uint8Array;
  readonly kind: FileKind;
}

export interface FileSystemSpace {
  readonly blockSize: number;
  readonly blocks: number;
  readonly free: number;
  readonly available: number;
  readonly files: number;
  readonly freeFiles: number;
}

export interface OpenMode {
  readonly read: boolean;
  readonly write: boolean;
  readonly truncate: boolean;
}

/** Why something could not be done: an error number of Linux (errno(3)). */
export class FileTreeError extends Error {
  override readonly name = "FileTreeError";

  constructor(readonly errno: number) {
    super(`file error ${errno}`);
  }
}

/**
 * A directory of the host with all that is below it. Names are single components in bytes, which the caller has checked to
 * be neither empty nor `.` nor `..` and to hold neither a slash nor a zero; no symbolic link is ever followed, so that
 * nothing outside can be reached. Operations reject with a {@link FileTreeError}.
 */
export interface FileTree {
  readonly readOnly: boolean;
  /** Most nodes and open files together that the host can hold. */
  readonly capacity: number;
  readonly root: FileNode;
  lookUp(directory: FileNode, name: Uint8Array): Promise<FileNode>;
  /** The node is needed no more; whatever the host holds for it is released. */
  release(node: FileNode): void;
  attributes(node: FileNode): Promise<FileAttributes>;
  change(node: FileNode, changes: FileChanges): Promise<void>;
  readLink(node: FileNode): Promise<Uint8Array>;
  /** All names in a directory, but for `.` and `..`. */
  list(directory: FileNode): Promise<DirectoryEntry[]>;
  /** Opens a regular file. */
  open(node: FileNode, mode: OpenMode): Promise<OpenFile>;
  /** Makes a regular file and opens it; with `exclusive`, it may not be there yet. */
  create(
    directory: FileNode,
    name: Uint8Array,
    permissions: number,
    mode: OpenMode,
    exclusive: boolean,
  ): Promise<{ readonly node: FileNode; readonly file: OpenFile }>;
  makeDirectory(directory: FileNode, name: Uint8Array, permissions: number): Promise<FileNode>;
  makeLink(directory: FileNode, name: Uint8Array, target: Uint8Array): Promise<FileNode>;
  removeFile(directory: FileNode, name: Uint8Array): Promise<void>;
  removeDirectory(directory: FileNode, name: Uint8Array): Promise<void>;
  rename(from: FileNode, name: Uint8Array, to: FileNode, newName: Uint8Array): Promise<void>;
  space(): Promise<FileSystemSpace>;
  /** Releases everything. */
  close(): Promise<void>;
}
