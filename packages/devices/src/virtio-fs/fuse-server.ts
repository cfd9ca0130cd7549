// SPDX-License-Identifier: Apache-2.0
import {
  type FileChanges,
  type FileNode,
  type FileTime,
  type FileTree,
  FileTreeError,
  type OpenMode,
} from "@isola/ports";
import {
  Errno,
  FSYNC_DATA,
  FUSE_MAJOR,
  GETATTR_HANDLE,
  In,
  Opcode,
  OpenFlag,
  SetAttr,
  TARGET_MAX,
  WRITE_OUT,
} from "./fuse-abi.js";
import { FuseReader } from "./fuse-reader.js";
import { attributesOut, direntsOut, entryOut, initOut, openOut, statfsOut } from "./fuse-writer.js";
import { HandleTable } from "./handle-table.js";
import { NodeTable } from "./node-table.js";
import { MAX_WRITE } from "./registers.js";

/** An answer without its header; null where there is none. */
export type FuseAnswer = { readonly errno: number } | { readonly payload: Uint8Array } | null;

const NOTHING = new Uint8Array();
const MAX_NODES = 65_536;
const MAX_HANDLES = 4096;
/** Of what the host can hold, so much is for nodes, and the rest for open files. */
const NODE_SHARE = 0.75;
/** What a guest may set of a mode: no bits that give a program of the host another user's rights. */
const PERMISSIONS = 0o777;
/** The type bits of a regular file (inode(7)). */
const TYPE_MASK = 0o170000;
const TYPE_FILE = 0o100000;

function openMode(flags: number): OpenMode {
  const access = flags & OpenFlag.AccessMode;
  const write = access === OpenFlag.WriteOnly || access === OpenFlag.ReadWrite;
  return { read: access !== OpenFlag.WriteOnly, write, truncate: write && (flags & OpenFlag.Truncate) !== 0 };
}

/** Answers FUSE requests out of a tree of the host's files. Whatever a request holds, nothing is thrown. */
export class FuseServer {
  private readonly nodes: NodeTable;
  private readonly handles: HandleTable;

  constructor(private readonly tree: FileTree) {
    this.nodes = new NodeTable(tree, Math.min(MAX_NODES, Math.floor(tree.capacity * NODE_SHARE)));
    this.handles = new HandleTable(Math.min(MAX_HANDLES, Math.floor(tree.capacity * (1 - NODE_SHARE))));
  }

  /** What the guest holds here: nodes and handles. */
  get held(): { readonly nodes: number; readonly handles: number } {
    return { nodes: this.nodes.size, handles: this.handles.size };
  }

  /** The guest forgets everything. */
  reset(): void {
    this.nodes.clear();
    this.handles.clear();
  }

  /**
   * Answers a request, header and all.
   * @param room most bytes that the payload of the answer may have
   */
  async answer(request: Uint8Array, room: number): Promise<FuseAnswer> {
    try {
      const reader = new FuseReader(request, 0);
      const length = reader.u32();
      const opcode = reader.u32();
      const node = reader.skip(In.Node - In.Unique).u64();
      if (length > request.length || length < In.Size) return { errno: Errno.Invalid };
      reader.skip(In.Size - In.Node - 8);
      if (opcode === Opcode.Forget) return this.forget(node, reader);
      if (opcode === Opcode.BatchForget) return this.batchForget(reader);
      if (opcode === Opcode.Interrupt) return null;
      const payload = await this.perform(opcode, node, reader, room);
      return payload.length > room ? { errno: Errno.Invalid } : { payload };
    } catch (error) {
      return { errno: error instanceof FileTreeError ? error.errno : Errno.Io };
    }
  }

  private forget(node: number, reader: FuseReader): null {
    this.nodes.forget(node, reader.u64());
    return null;
  }

  private batchForget(reader: FuseReader): null {
    const count = reader.u32();
    reader.u32();
    // A count beyond what is there ends in an error of the reader, which nobody waits for.
    for (let i = 0; i < count; i++) this.nodes.forget(reader.u64(), reader.u64());
    return null;
  }

  private async perform(opcode: Opcode, node: number, reader: FuseReader, room: number): Promise<Uint8Array> {
    switch (opcode) {
      case Opcode.Init:
        return this.init(reader);
      case Opcode.Destroy:
        this.reset();
        return NOTHING;
      case Opcode.Lookup:
        return this.tell(await this.tree.lookUp(this.directory(node), reader.name()));
      case Opcode.GetAttr:
        return this.getAttributes(node, reader);
      case Opcode.SetAttr:
        return this.setAttributes(node, reader);
      case Opcode.ReadLink:
        return this.readLink(node);
      case Opcode.Open:
        return this.open(node, reader.u32());
      case Opcode.OpenDir:
        return openOut(this.handles.add({ kind: "directory", entries: await this.tree.list(this.directory(node)) }));
      case Opcode.Read:
        return this.read(reader, room);
      case Opcode.ReadDir:
        return this.readDirectory(reader, room);
      case Opcode.Write:
        return this.write(reader);
      case Opcode.Release:
      case Opcode.ReleaseDir:
        await this.handles.remove(reader.u64());
        return NOTHING;
      case Opcode.Fsync: {
        const file = this.handles.file(reader.u64());
        await file.flush((reader.u32() & FSYNC_DATA) === 0);
        return NOTHING;
      }
      // Every write has reached the host's kernel when it is answered.
      case Opcode.Flush:
      case Opcode.FsyncDir:
        return NOTHING;
      case Opcode.Statfs:
        return statfsOut(await this.tree.space());
      default:
        return this.modify(opcode, node, reader);
    }
  }

  /** Requests that change a directory. */
  private async modify(opcode: Opcode, node: number, reader: FuseReader): Promise<Uint8Array> {
    const { tree } = this;
    switch (opcode) {
      case Opcode.Create:
        return this.create(node, reader);
      case Opcode.Mknod:
        return this.makeNode(node, reader);
      case Opcode.Mkdir: {
        const mode = reader.u32();
        const name = reader.skip(4).name();
        return this.tell(await tree.makeDirectory(this.changeable(node), name, mode & PERMISSIONS));
      }
      case Opcode.Symlink: {
        const name = reader.name();
        return this.tell(await tree.makeLink(this.changeable(node), name, reader.text(TARGET_MAX)));
      }
      case Opcode.Unlink:
        await tree.removeFile(this.changeable(node), reader.name());
        return NOTHING;
      case Opcode.Rmdir:
        await tree.removeDirectory(this.changeable(node), reader.name());
        return NOTHING;
      case Opcode.Rename: {
        const to = reader.u64();
        const name = reader.name();
        await tree.rename(this.changeable(node), name, this.changeable(to), reader.name());
        return NOTHING;
      }
      case Opcode.Link:
        throw new FileTreeError(Errno.Perm);
      default:
        // Linux asks for what is not there once, and then does without.
        throw new FileTreeError(Errno.NoSystemCall);
    }
  }

  private init(reader: FuseReader): Uint8Array {
    if (reader.u32() !== FUSE_MAJOR) throw new FileTreeError(Errno.Invalid);
    reader.u32();
    this.reset();
    return initOut(reader.u32(), reader.u32());
  }

  private directory(number: number): FileNode {
    const node = this.nodes.get(number);
    if (node.kind !== "directory") throw new FileTreeError(Errno.NotDirectory);
    return node;
  }

  private changeable(number: number): FileNode {
    this.refuseReadOnly();
    return this.directory(number);
  }

  private refuseReadOnly(): void {
    if (this.tree.readOnly) throw new FileTreeError(Errno.ReadOnly);
  }

  /** Tells the guest of a node, which it then holds until it forgets it. */
  private async tell(found: FileNode): Promise<Uint8Array> {
    const { number, node } = this.nodes.add(found);
    try {
      return entryOut(number, await this.tree.attributes(node));
    } catch (error) {
      this.nodes.forget(number, 1);
      throw error;
    }
  }

  private async getAttributes(node: number, reader: FuseReader): Promise<Uint8Array> {
    const flags = reader.u32();
    const handle = reader.skip(4).u64();
    if ((flags & GETATTR_HANDLE) !== 0) return attributesOut(await this.handles.file(handle).attributes());
    return attributesOut(await this.tree.attributes(this.nodes.get(node)));
  }

  private async setAttributes(number: number, reader: FuseReader): Promise<Uint8Array> {
    this.refuseReadOnly();
    const node = this.nodes.get(number);
    const valid = reader.u32();
    const handle = reader.skip(4).u64();
    const size = reader.u64();
    const [accessedSeconds, modifiedSeconds] = [reader.skip(8).u64(), reader.u64()];
    const [accessedNs, modifiedNs] = [reader.skip(8).u32(), reader.u32()];
    const mode = reader.skip(4).u32();
    const [uid, gid] = [reader.skip(4).u32(), reader.u32()];
    const has = (bit: SetAttr) => (valid & bit) !== 0;
    if (has(SetAttr.Size) && node.kind !== "file") throw new FileTreeError(Errno.Invalid);
    const byHandle = has(SetAttr.Size) && has(SetAttr.Handle);
    if (byHandle) await this.handles.file(handle).resize(size);
    const time = (now: SetAttr, seconds: number, nanoseconds: number): FileTime | "now" =>
      has(now) ? "now" : { seconds, nanoseconds };
    const changes: FileChanges = {
      ...(has(SetAttr.Mode) && { mode: mode & PERMISSIONS }),
      ...(has(SetAttr.Uid) && { uid }),
      ...(has(SetAttr.Gid) && { gid }),
      ...(has(SetAttr.Size) && !byHandle && { size }),
      ...(has(SetAttr.Accessed) && { accessed: time(SetAttr.AccessedNow, accessedSeconds, accessedNs) }),
      ...(has(SetAttr.Modified) && { modified: time(SetAttr.ModifiedNow, modifiedSeconds, modifiedNs) }),
    };
    await this.tree.change(node, changes);
    return attributesOut(await this.tree.attributes(node));
  }

  private async readLink(number: number): Promise<Uint8Array> {
    const node = this.nodes.get(number);
    if (node.kind !== "symlink") throw new FileTreeError(Errno.Invalid);
    return this.tree.readLink(node);
  }

  private async open(number: number, flags: number): Promise<Uint8Array> {
    const node = this.nodes.get(number);
    if (node.kind === "directory") throw new FileTreeError(Errno.IsDirectory);
    // Fifos, sockets and devices of the host are none of the guest's; its kernel opens its own.
    if (node.kind !== "file") throw new FileTreeError(Errno.Perm);
    const mode = openMode(flags);
    if (mode.write) this.refuseReadOnly();
    return openOut(this.handles.add({ kind: "file", file: await this.tree.open(node, mode) }));
  }

  private async create(number: number, reader: FuseReader): Promise<Uint8Array> {
    const directory = this.changeable(number);
    const flags = reader.u32();
    const permissions = reader.u32() & PERMISSIONS;
    const name = reader.skip(8).name();
    const exclusive = (flags & OpenFlag.Exclusive) !== 0;
    const { node, file } = await this.tree.create(directory, name, permissions, openMode(flags), exclusive);
    // A node that is known already comes back under the same number.
    const entry = await this.tell(node).catch(async (error: unknown) => {
      await file.close();
      throw error;
    });
    let handle: number;
    try {
      handle = this.handles.add({ kind: "file", file });
    } catch (error) {
      this.nodes.forget(new DataView(entry.buffer).getUint32(0, true), 1);
      throw error;
    }
    const opened = openOut(handle);
    const both = new Uint8Array(entry.length + opened.length);
    both.set(entry);
    both.set(opened, entry.length);
    return both;
  }

  /** Regular files only: no device, socket or fifo of the host comes from a guest. */
  private async makeNode(number: number, reader: FuseReader): Promise<Uint8Array> {
    const directory = this.changeable(number);
    const mode = reader.u32();
    const name = reader.skip(12).name();
    if ((mode & TYPE_MASK) !== TYPE_FILE) throw new FileTreeError(Errno.Perm);
    const access = { read: true, write: true, truncate: false };
    const { node, file } = await this.tree.create(directory, name, mode & PERMISSIONS, access, true);
    await file.close();
    return this.tell(node);
  }

  private async read(reader: FuseReader, room: number): Promise<Uint8Array> {
    const file = this.handles.file(reader.u64());
    const offset = reader.u64();
    const into = new Uint8Array(Math.min(reader.u32(), room, MAX_WRITE));
    const length = Number.isSafeInteger(offset + into.length) ? await file.read(offset, into) : 0;
    return into.subarray(0, length);
  }

  private readDirectory(reader: FuseReader, room: number): Uint8Array {
    const entries = this.handles.directory(reader.u64());
    const first = reader.u64();
    return direntsOut(entries, first, Math.min(reader.u32(), room, MAX_WRITE));
  }

  private async write(reader: FuseReader): Promise<Uint8Array> {
    this.refuseReadOnly();
    const file = this.handles.file(reader.u64());
    const offset = reader.u64();
    const size = reader.u32();
    const bytes = reader.skip(20).take(size);
    if (!Number.isSafeInteger(offset + size)) throw new FileTreeError(Errno.Invalid);
    await file.write(offset, bytes);
    const out = new Uint8Array(WRITE_OUT);
    new DataView(out.buffer).setUint32(0, size, true);
    return out;
  }
}
