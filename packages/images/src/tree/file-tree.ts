// SPDX-License-Identifier: Apache-2.0
import { ArchiveError } from "../archive/byte-source.js";
import { memberPathComponents } from "../archive/member-path.js";
import { type FileContent, bytesContent } from "./content.js";

/** What every inode has. `mode` is 0o7777 at most, `mtime` in seconds since 1970. */
export interface NodeMeta {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}

export interface DirectoryNode {
  readonly kind: "directory";
  meta: NodeMeta;
  readonly children: Map<string, TreeNode>;
}
export interface FileNode {
  readonly kind: "file";
  readonly meta: NodeMeta;
  readonly content: FileContent;
}
export interface SymlinkNode {
  readonly kind: "symlink";
  readonly meta: NodeMeta;
  readonly target: string;
}
export interface DeviceNode {
  readonly kind: "device";
  readonly device: "char" | "block" | "fifo";
  readonly meta: NodeMeta;
  readonly major: number;
  readonly minor: number;
}
/** One inode. A node that stands under several names is a file with hard links. */
export type TreeNode = DirectoryNode | FileNode | SymlinkNode | DeviceNode;

/** Linux follows at most this many symbolic links in one path (path_resolution(7)). */
const MAX_SYMLINKS = 40;
const ROOT_OWNED = { uid: 0, gid: 0, mtime: 0 };

/** The S_IFMT bits of `st_mode` (inode(7)). */
export function fileTypeBits(node: TreeNode): number {
  switch (node.kind) {
    case "directory":
      return 0o040000;
    case "file":
      return 0o100000;
    case "symlink":
      return 0o120000;
    case "device":
      return node.device === "char" ? 0o020000 : node.device === "block" ? 0o060000 : 0o010000;
  }
}

/**
 * A file system in memory: names and metadata only, contents by reference. Paths are relative to its root; directories
 * on the way are found through symbolic links, as extracting an archive onto a disk would, and never lead outside.
 */
export class FileTree {
  readonly root: DirectoryNode = { kind: "directory", meta: { ...ROOT_OWNED, mode: 0o755 }, children: new Map() };

  /** Adds a directory; one that exists keeps its children and takes the new metadata. Parents are made as needed. */
  directory(path: string, meta: NodeMeta = { ...ROOT_OWNED, mode: 0o755 }): void {
    const components = memberPathComponents(path);
    const name = components.pop();
    if (name === undefined) {
      this.root.meta = meta;
      return;
    }
    const parent = this.walkTo(components, true);
    const old = parent.children.get(name);
    // Like tar and dpkg, a directory member never replaces a link to a directory: merged /usr depends on it.
    if (old?.kind === "symlink" && this.resolve(path)?.kind === "directory") return;
    if (old?.kind === "directory") old.meta = meta;
    else parent.children.set(name, { kind: "directory", meta, children: new Map() });
  }

  /** Adds or replaces a regular file; text is stored as UTF-8. */
  file(path: string, content: FileContent | string, meta: Partial<NodeMeta> = {}): void {
    const data = typeof content === "string" ? bytesContent(content) : content;
    this.put(path, { kind: "file", meta: { ...ROOT_OWNED, mode: 0o644, ...meta }, content: data });
  }

  symlink(path: string, target: string, meta: Partial<NodeMeta> = {}): void {
    if (target === "" || target.includes("\0")) throw new ArchiveError(`bad symbolic link target for ${path}`);
    this.put(path, { kind: "symlink", meta: { ...ROOT_OWNED, ...meta, mode: 0o777 }, target });
  }

  device(path: string, device: DeviceNode["device"], major: number, minor: number, meta: Partial<NodeMeta> = {}): void {
    this.put(path, { kind: "device", device, major, minor, meta: { ...ROOT_OWNED, mode: 0o600, ...meta } });
  }

  /** Gives the file at `existing` a second name. */
  hardLink(path: string, existing: string): void {
    const node = this.lookup(existing);
    if (!node || node.kind === "directory") throw new ArchiveError(`hard link ${path} to missing file ${existing}`);
    this.put(path, node);
  }

  /** Removes the name `path`, with everything below it; a missing one is no error. */
  remove(path: string): void {
    const components = memberPathComponents(path);
    const name = components.pop();
    const parent = this.find(components, true);
    if (name !== undefined && parent?.kind === "directory") parent.children.delete(name);
  }

  /** The node at `path`; symbolic links are followed on the way, not at the end. */
  lookup(path: string): TreeNode | undefined {
    return this.find(memberPathComponents(path), false);
  }

  /** The node at `path` with every symbolic link followed. */
  resolve(path: string): TreeNode | undefined {
    return this.find(memberPathComponents(path), true);
  }

  /** How many names each node that is no directory has. */
  linkCounts(): Map<TreeNode, number> {
    const counts = new Map<TreeNode, number>();
    const visit = (directory: DirectoryNode): void => {
      for (const child of directory.children.values()) {
        if (child.kind === "directory") visit(child);
        else counts.set(child, (counts.get(child) ?? 0) + 1);
      }
    };
    visit(this.root);
    return counts;
  }

  private put(path: string, node: TreeNode): void {
    const components = memberPathComponents(path);
    const name = components.pop();
    if (name === undefined) throw new ArchiveError("the root must be a directory");
    const parent = this.walkTo(components, true);
    if (parent.children.get(name)?.kind === "directory") {
      throw new ArchiveError(`${path} would replace a directory`);
    }
    parent.children.set(name, node);
  }

  private walkTo(components: readonly string[], create: boolean): DirectoryNode {
    const node = this.find(components, true, create);
    if (node?.kind !== "directory") throw new ArchiveError(`${components.join("/")} is not a directory`);
    return node;
  }

  /** path_resolution(7) inside this tree; an absolute link starts at the tree's root and `..` stops there. */
  private find(components: readonly string[], followLast: boolean, create = false): TreeNode | undefined {
    const pending = [...components].reverse();
    const stack: DirectoryNode[] = [this.root];
    let followed = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (stack.length > 1) stack.pop();
        continue;
      }
      const here = stack[stack.length - 1];
      let node = here.children.get(name);
      if (!node && create) {
        node = { kind: "directory", meta: { ...ROOT_OWNED, mode: 0o755 }, children: new Map() };
        here.children.set(name, node);
      }
      if (!node) return undefined;
      if (node.kind === "symlink" && (followLast || pending.length > 0)) {
        if (++followed > MAX_SYMLINKS) throw new ArchiveError(`too many symbolic links in ${components.join("/")}`);
        if (node.target.startsWith("/")) stack.length = 1;
        pending.push(...node.target.split("/").reverse());
        continue;
      }
      if (node.kind !== "directory") return pending.length === 0 ? node : undefined;
      stack.push(node);
    }
    return stack[stack.length - 1];
  }
}
