// SPDX-License-Identifier: Apache-2.0
import type { DirectoryEntry, FileAttributes, FileKind, FileSystemSpace } from "@isola/ports";
import {
  ATTR_HEAD,
  ATTR_SIZE,
  DIRENT_HEAD,
  DirentType,
  ENTRY_HEAD,
  FUSE_MAJOR,
  FUSE_MINOR,
  INIT_FLAGS,
  INIT_MAX_PAGES,
  INIT_OUT,
  NAME_MAX,
  OPEN_OUT,
  STATFS_OUT,
  UNKNOWN_INODE,
} from "./fuse-abi.js";
import { MAX_WRITE } from "./registers.js";

/** Seconds for which the guest may believe what it has heard: the host changes files, too. */
const VALID_SECONDS = 1;
const BLOCK_SIZE = 4096;
const PAGE = 4096;
const MAX_BACKGROUND = 32;

function putU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32) >>> 0, true);
}

function attributes(view: DataView, at: number, from: FileAttributes): void {
  view.setBigUint64(at, from.inode, true);
  [from.size, from.blocks, from.accessed.seconds, from.modified.seconds, from.changed.seconds].forEach((value, i) =>
    view.setBigInt64(at + 8 + 8 * i, BigInt(Math.trunc(value)), true),
  );
  const { accessed, modified, changed, mode, links, uid, gid } = from;
  const words = [accessed.nanoseconds, modified.nanoseconds, changed.nanoseconds, mode, links, uid, gid, 0, BLOCK_SIZE];
  words.forEach((value, i) => view.setUint32(at + 48 + 4 * i, value, true));
}

/** `struct fuse_attr_out`. */
export function attributesOut(from: FileAttributes): Uint8Array {
  const view = new DataView(new ArrayBuffer(ATTR_HEAD + ATTR_SIZE));
  putU64(view, 0, VALID_SECONDS);
  attributes(view, ATTR_HEAD, from);
  return new Uint8Array(view.buffer);
}

/** `struct fuse_entry_out`. */
export function entryOut(node: number, from: FileAttributes): Uint8Array {
  const view = new DataView(new ArrayBuffer(ENTRY_HEAD + ATTR_SIZE));
  putU64(view, 0, node);
  putU64(view, 16, VALID_SECONDS);
  putU64(view, 24, VALID_SECONDS);
  attributes(view, ENTRY_HEAD, from);
  return new Uint8Array(view.buffer);
}

/** `struct fuse_open_out`. */
export function openOut(handle: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(OPEN_OUT));
  putU64(view, 0, handle);
  return new Uint8Array(view.buffer);
}

/** `struct fuse_init_out`, for what the guest offers. */
export function initOut(readAhead: number, offered: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(INIT_OUT));
  view.setUint32(0, FUSE_MAJOR, true);
  view.setUint32(4, FUSE_MINOR, true);
  view.setUint32(8, readAhead, true);
  view.setUint32(12, (offered & (INIT_FLAGS | INIT_MAX_PAGES)) >>> 0, true);
  view.setUint16(16, MAX_BACKGROUND, true);
  view.setUint16(18, (MAX_BACKGROUND * 3) / 4, true);
  view.setUint32(20, MAX_WRITE, true);
  // Times are exact to the nanosecond.
  view.setUint32(24, 1, true);
  view.setUint16(28, MAX_WRITE / PAGE, true);
  return new Uint8Array(view.buffer);
}

/** `struct fuse_statfs_out`. */
export function statfsOut(space: FileSystemSpace): Uint8Array {
  const view = new DataView(new ArrayBuffer(STATFS_OUT));
  [space.blocks, space.free, space.available, space.files, space.freeFiles].forEach((value, i) =>
    putU64(view, 8 * i, value),
  );
  view.setUint32(40, space.blockSize, true);
  view.setUint32(44, NAME_MAX, true);
  view.setUint32(48, space.blockSize, true);
  return new Uint8Array(view.buffer);
}

function typeOf(kind: FileKind): DirentType {
  if (kind === "directory") return DirentType.Directory;
  if (kind === "file") return DirentType.File;
  return kind === "symlink" ? DirentType.Symlink : DirentType.Unknown;
}

/** `struct fuse_dirent` for as many entries from `first` on as fit into `room`. The offset of each is that of the next. */
export function direntsOut(entries: readonly DirectoryEntry[], first: number, room: number): Uint8Array {
  const out = new Uint8Array(room);
  const view = new DataView(out.buffer);
  let at = 0;
  for (let i = first; i < entries.length; i++) {
    const { name, kind } = entries[i];
    const length = (DIRENT_HEAD + name.length + 7) & ~7;
    if (at + length > room) break;
    putU64(view, at, UNKNOWN_INODE);
    putU64(view, at + 8, i + 1);
    view.setUint32(at + 16, name.length, true);
    view.setUint32(at + 20, typeOf(kind), true);
    out.set(name, at + DIRENT_HEAD);
    at += length;
  }
  return out.subarray(0, at);
}
