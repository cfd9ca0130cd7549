// SPDX-License-Identifier: Apache-2.0
import { constants, readFileSync, statSync } from "node:fs";
import * as fs from "node:fs/promises";
import { OperatorError } from "@isola/base";
import {
  type DirectoryEntry,
  type FileAttributes,
  type FileChanges,
  type FileKind,
  type FileNode,
  type FileSystemSpace,
  type FileTime,
  type FileTree,
  FileTreeError,
  type OpenFile,
  type OpenMode,
} from "@isola/ports";
import { fileError } from "../host-error.js";
import { attributesOf, kindOf, statOf } from "./attributes.js";
import { Descriptor } from "./descriptor.js";
import { HostFile } from "./host-file.js";

/** A descriptor that names a file and opens nothing (open(2)); not among Node's constants, the same on all Linux. */
const O_PATH = 0o10000000;
const { O_NOFOLLOW, O_DIRECTORY, O_NONBLOCK, O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC } = constants;
const ENOTDIR = 20;
const EPERM = 1;

const USUAL_LIMIT = 1024;

/** Most descriptors that this process may have (proc(5), "Max open files"). */
function descriptorLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return soft === undefined ? USUAL_LIMIT : Number(soft);
  } catch {
    return USUAL_LIMIT;
  }
}

/** A node with the descriptor that holds on to it. */
class HostNode implements FileNode {
  constructor(
    readonly kind: FileKind,
    readonly identity: string,
    readonly descriptor: Descriptor,
    /** Where a symbolic link leads, which never changes. */
    readonly target: Buffer | null,
  ) {}
}

/** The path that stands for what a descriptor names, wherever it has gone (proc(5)). */
const pathOf = (fd: number) => `/proc/self/fd/${fd}`;

/** One name below a directory, and nothing else: no part of it can be a link that is followed. */
const below = (fd: number, name: Uint8Array) => Buffer.concat([Buffer.from(`${pathOf(fd)}/`), name]);

function access({ read, write }: OpenMode): number {
  return read && write ? O_RDWR : write ? O_WRONLY : O_RDONLY;
}

async function nodeOf(descriptor: Descriptor, link: string | Buffer | null): Promise<HostNode> {
  try {
    const stats = await descriptor.use(statOf);
    const kind = kindOf(stats);
    const target = kind === "symlink" && link !== null ? await fs.readlink(link, { encoding: "buffer" }) : null;
    return new HostNode(kind, `${stats.dev}:${stats.ino}`, descriptor, target);
  } catch (error) {
    await descriptor.close();
    throw error;
  }
}

function seconds(time: FileTime | "now"): number {
  return time === "now" ? Date.now() / 1000 : time.seconds + time.nanoseconds / 1e9;
}

/**
 * A directory of a Linux host as a `FileTree`. Every node is a descriptor, and every operation goes from a descriptor by
 * one name at most, which is not followed if it is a link: what `openat` with `O_NOFOLLOW` is elsewhere, by way of
 * `/proc/self/fd`, because Node has no calls that take a directory. Names that others change meanwhile lead nowhere else.
 */
export class SharedFolder implements FileTree {
  readonly capacity = Math.floor(descriptorLimit() / 2);

  private constructor(
    readonly root: HostNode,
    readonly readOnly: boolean,
  ) {}

  /** Throws OperatorError if the directory cannot be shared. */
  static async open(path: string, readOnly: boolean): Promise<SharedFolder> {
    if (process.platform !== "linux")
      throw new OperatorError(
        "no-shared-folders",
        "--share works on Linux hosts only: nothing else keeps a guest inside",
      );
    try {
      if (!statSync(path).isDirectory()) throw new FileTreeError(ENOTDIR);
      const root = await nodeOf(await Descriptor.open(path, O_PATH | O_DIRECTORY), null);
      return new SharedFolder(root, readOnly);
    } catch (error) {
      if (error instanceof FileTreeError)
        throw new OperatorError("file-error", `cannot share ${path}: it is no directory that you can enter`, {
          cause: error,
        });
      throw fileError("share", path, error);
    }
  }

  async lookUp(directory: FileNode, name: Uint8Array): Promise<HostNode> {
    return this.at(directory).use(async (fd) => {
      const path = below(fd, name);
      return nodeOf(await Descriptor.open(path, O_PATH | O_NOFOLLOW), path);
    });
  }

  release(node: FileNode): void {
    if (node !== this.root) void this.at(node).close();
  }

  async attributes(node: FileNode): Promise<FileAttributes> {
    return this.at(node).use(async (fd) => attributesOf(await statOf(fd)));
  }

  async change(node: FileNode, changes: FileChanges): Promise<void> {
    await this.at(node).use(async (fd) => {
      const path = pathOf(fd);
      await this.checkOwners(fd, changes);
      // The link at this path leads to the node itself; of a symbolic link, neither mode nor times can be changed so.
      if (node.kind === "symlink") return;
      if (changes.mode !== undefined) await fs.chmod(path, changes.mode);
      if (changes.size !== undefined) await fs.truncate(path, changes.size);
      if (changes.accessed === undefined && changes.modified === undefined) return;
      const stats = await statOf(fd);
      const accessed = changes.accessed === undefined ? Number(stats.atimeNs) / 1e9 : seconds(changes.accessed);
      const modified = changes.modified === undefined ? Number(stats.mtimeNs) / 1e9 : seconds(changes.modified);
      await fs.utimes(path, accessed, modified);
    });
  }

  async readLink(node: FileNode): Promise<Uint8Array> {
    return (node as HostNode).target ?? new Uint8Array();
  }

  async list(directory: FileNode): Promise<DirectoryEntry[]> {
    return this.at(directory).use(async (fd) => {
      const entries = await fs.readdir(pathOf(fd), { withFileTypes: true, encoding: "buffer" });
      return entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
    });
  }

  async open(node: FileNode, mode: OpenMode): Promise<OpenFile> {
    return this.at(node).use(async (fd) => {
      const flags = access(mode) | O_NONBLOCK | (mode.truncate ? O_TRUNC : 0);
      return new HostFile(await Descriptor.open(pathOf(fd), flags));
    });
  }

  async create(
    directory: FileNode,
    name: Uint8Array,
    permissions: number,
    mode: OpenMode,
    exclusive: boolean,
  ): Promise<{ node: HostNode; file: OpenFile }> {
    return this.at(directory).use(async (fd) => {
      const flags =
        O_CREAT | O_NOFOLLOW | O_NONBLOCK | access(mode) | (exclusive ? O_EXCL : 0) | (mode.truncate ? O_TRUNC : 0);
      const file = await Descriptor.open(below(fd, name), flags, permissions);
      try {
        const node = await file.use(async (opened) => nodeOf(await Descriptor.open(pathOf(opened), O_PATH), null));
        if (node.kind === "file") return { node, file: new HostFile(file) };
        // A fifo or device that was there.
        this.release(node);
        throw new FileTreeError(EPERM);
      } catch (error) {
        await file.close();
        throw error;
      }
    });
  }

  async makeDirectory(directory: FileNode, name: Uint8Array, permissions: number): Promise<HostNode> {
    await this.at(directory).use((fd) => fs.mkdir(below(fd, name), permissions));
    return this.lookUp(directory, name);
  }

  async makeLink(directory: FileNode, name: Uint8Array, target: Uint8Array): Promise<HostNode> {
    await this.at(directory).use((fd) => fs.symlink(Buffer.from(target), below(fd, name)));
    return this.lookUp(directory, name);
  }

  async removeFile(directory: FileNode, name: Uint8Array): Promise<void> {
    await this.at(directory).use((fd) => fs.unlink(below(fd, name)));
  }

  async removeDirectory(directory: FileNode, name: Uint8Array): Promise<void> {
    await this.at(directory).use((fd) => fs.rmdir(below(fd, name)));
  }

  async rename(from: FileNode, name: Uint8Array, to: FileNode, newName: Uint8Array): Promise<void> {
    await this.at(from).use((old) => this.at(to).use((fd) => fs.rename(below(old, name), below(fd, newName))));
  }

  async space(): Promise<FileSystemSpace> {
    return this.root.descriptor.use(async (fd) => {
      const { bsize, blocks, bfree, bavail, files, ffree } = await fs.statfs(pathOf(fd));
      return { blockSize: bsize, blocks, free: bfree, available: bavail, files, freeFiles: ffree };
    });
  }

  async close(): Promise<void> {
    await this.root.descriptor.close();
  }

  private at(node: FileNode): Descriptor {
    return (node as HostNode).descriptor;
  }

  /** Files keep their owners: a change to the one that there is does nothing, and any other is refused. */
  private async checkOwners(fd: number, { uid, gid }: FileChanges): Promise<void> {
    if (uid === undefined && gid === undefined) return;
    const { uid: owner, gid: group } = attributesOf(await statOf(fd));
    const same = (wanted: number | undefined, is: number) => wanted === undefined || wanted === is;
    if (!same(uid, owner) || !same(gid, group)) throw new FileTreeError(EPERM);
  }
}
