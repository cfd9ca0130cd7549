// SPDX-License-Identifier: Apache-2.0
import { type BigIntStats, fstat } from "node:fs";
import type { FileAttributes, FileKind, FileTime } from "@isola/ports";

const NANOSECONDS = 1_000_000_000n;
/** Whom the guest sees as the owner of what belongs to neither its host nor, to a host who is root, to a real user. */
const NOBODY = 65534;

export function statOf(fd: number): Promise<BigIntStats> {
  return new Promise((resolve, reject) =>
    fstat(fd, { bigint: true }, (error, stats) => (error === null ? resolve(stats) : reject(error))),
  );
}

function time(ns: bigint): FileTime {
  return { seconds: Number(ns / NANOSECONDS), nanoseconds: Number(ns % NANOSECONDS) };
}

/**
 * Owners as the guest sees them: what belongs to the user of this process is root's, as in a user namespace of that user;
 * where that is root, owners are what they are.
 */
export function guestId(id: number, own: number): number {
  if (own === 0 || id === own) return own === 0 ? id : 0;
  return NOBODY;
}

export function attributesOf(stats: BigIntStats): FileAttributes {
  return {
    inode: stats.ino,
    size: Number(stats.size),
    blocks: Number(stats.blocks),
    mode: Number(stats.mode),
    links: Number(stats.nlink),
    uid: guestId(Number(stats.uid), process.getuid?.() ?? 0),
    gid: guestId(Number(stats.gid), process.getgid?.() ?? 0),
    accessed: time(stats.atimeNs),
    modified: time(stats.mtimeNs),
    changed: time(stats.ctimeNs),
  };
}

interface Kinds {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

export function kindOf(from: Kinds): FileKind {
  if (from.isFile()) return "file";
  if (from.isDirectory()) return "directory";
  return from.isSymbolicLink() ? "symlink" : "other";
}
