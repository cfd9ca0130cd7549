// SPDX-License-Identifier: Apache-2.0
/** The FUSE protocol, version 7.31: numbers of Linux's `fuse.h`. All fields are little-endian here. */
export const FUSE_MAJOR = 7;
export const FUSE_MINOR = 31;
export const ROOT_NODE = 1;

export const enum Opcode {
  Lookup = 1,
  Forget = 2,
  GetAttr = 3,
  SetAttr = 4,
  ReadLink = 5,
  Symlink = 6,
  Mknod = 8,
  Mkdir = 9,
  Unlink = 10,
  Rmdir = 11,
  Rename = 12,
  Link = 13,
  Open = 14,
  Read = 15,
  Write = 16,
  Statfs = 17,
  Release = 18,
  Fsync = 20,
  Flush = 25,
  Init = 26,
  OpenDir = 27,
  ReadDir = 28,
  ReleaseDir = 29,
  FsyncDir = 30,
  Create = 35,
  Interrupt = 36,
  Destroy = 38,
  BatchForget = 42,
}

/** `struct fuse_in_header`. */
export const enum In {
  Length = 0,
  Opcode = 4,
  Unique = 8,
  Node = 16,
  Size = 40,
}

/** `struct fuse_out_header`. */
export const enum Out {
  Length = 0,
  Error = 4,
  Unique = 8,
  Size = 16,
}

export const ATTR_SIZE = 88;
/** `struct fuse_entry_out` and `fuse_attr_out` before their attributes. */
export const ENTRY_HEAD = 40;
export const ATTR_HEAD = 16;
export const OPEN_OUT = 16;
export const INIT_OUT = 64;
export const STATFS_OUT = 80;
export const WRITE_OUT = 8;
/** `struct fuse_dirent` before the name; entries are aligned to 8 bytes. */
export const DIRENT_HEAD = 24;

/** `fuse_init_in.flags` that are accepted: reads side by side, truncation by open, long writes, lookups side by side. */
export const INIT_FLAGS = (1 << 0) | (1 << 3) | (1 << 5) | (1 << 18);
/** Requests may be longer than 32 pages' worth by `max_pages`. */
export const INIT_MAX_PAGES = 1 << 22;

/** `fuse_setattr_in.valid`. */
export const enum SetAttr {
  Mode = 1 << 0,
  Uid = 1 << 1,
  Gid = 1 << 2,
  Size = 1 << 3,
  Accessed = 1 << 4,
  Modified = 1 << 5,
  Handle = 1 << 6,
  AccessedNow = 1 << 7,
  ModifiedNow = 1 << 8,
}

/** `fuse_getattr_in.getattr_flags`: the handle is valid. */
export const GETATTR_HANDLE = 1;
/** `fuse_fsync_in.fsync_flags`: data only. */
export const FSYNC_DATA = 1;

/** Flags of open(2) on x86 and most others. */
export const enum OpenFlag {
  AccessMode = 3,
  WriteOnly = 1,
  ReadWrite = 2,
  Exclusive = 0o200,
  Truncate = 0o1000,
}

/** Error numbers of Linux (errno(3)). */
export const enum Errno {
  Perm = 1,
  NoEntry = 2,
  Io = 5,
  BadHandle = 9,
  NotDirectory = 20,
  IsDirectory = 21,
  Invalid = 22,
  TooManyFiles = 23,
  ReadOnly = 30,
  NameTooLong = 36,
  NoSystemCall = 38,
  Stale = 116,
}

export const NAME_MAX = 255;
/** Longest target of a symbolic link (PATH_MAX less its final zero). */
export const TARGET_MAX = 4095;
/** The types of `d_type` (readdir(3)). */
export const enum DirentType {
  Unknown = 0,
  Directory = 4,
  File = 8,
  Symlink = 10,
}
/** Stands for an inode number that a directory does not tell (FUSE_UNKNOWN_INO). */
export const UNKNOWN_INODE = 0xffff_ffff;
