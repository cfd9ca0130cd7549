// SPDX-License-Identifier: Apache-2.0
import { closeSync, fdatasync, fstatSync, ftruncateSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperatorError } from "@isola/base";
import type { ResizableStore } from "@isola/ports";
import { readFully, writeFully } from "./file-io.js";
import { lockFile } from "./file-lock.js";
import { fileError, orFileError } from "./host-error.js";

export interface FileStoreOptions {
  readonly path: string;
  /** Without it, the file's exclusive lock is taken too. */
  readonly readOnly: boolean;
}

/**
 * The bytes of a file, whatever they mean. Reads and writes are synchronous: they nearly always hit the page cache, and
 * a round trip through Node's thread pool costs more. A flush is fdatasync(2) in the thread pool. Holes of a sparse
 * file stay holes until they are written.
 */
export class FileStore implements ResizableStore {
  private closed = false;

  /** @param durable whether a flush has to reach the disk */
  constructor(
    private readonly path: string,
    private readonly file: number,
    private length: number,
    readonly readOnly: boolean,
    private readonly unlock: () => void,
    private readonly durable = true,
  ) {}

  get size(): number {
    return this.length;
  }

  read(offset: number, buffer: Uint8Array): void {
    try {
      readFully(this.file, offset, buffer);
    } catch (error) {
      throw fileError("read", this.path, error);
    }
  }

  write(offset: number, buffer: Uint8Array): void {
    this.refuseReadOnly();
    try {
      writeFully(this.file, offset, buffer);
    } catch (error) {
      throw fileError("write", this.path, error);
    }
  }

  resize(size: number): void {
    this.refuseReadOnly();
    try {
      ftruncateSync(this.file, size);
      this.length = size;
    } catch (error) {
      throw fileError("resize", this.path, error);
    }
  }

  flush(): void | Promise<void> {
    if (this.readOnly || !this.durable) return;
    return new Promise((resolve, reject) => {
      fdatasync(this.file, (error) => (error === null ? resolve() : reject(fileError("flush", this.path, error))));
    });
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    closeSync(this.file);
    this.unlock();
  }

  private refuseReadOnly(): void {
    if (this.readOnly) throw new OperatorError("read-only", `${this.path} is read-only`);
  }
}

/** Opens a file. Throws OperatorError if it is missing, locked, or not a regular file. */
export function openFileStore({ path, readOnly }: FileStoreOptions): FileStore {
  return openWith(path, readOnly ? "r" : "r+", readOnly);
}

/** Makes a file that must not exist yet, unless `overwrite`, and takes its lock. */
export function createFileStore(path: string, overwrite = false): FileStore {
  return openWith(path, overwrite ? "a+" : "wx+", false);
}

function openWith(path: string, flags: string, readOnly: boolean): FileStore {
  const file = orFileError(flags.startsWith("r") ? "open disk" : "create", path, () => {
    // Append mode would send every write to the end: it only serves to make the file without emptying it.
    if (flags === "a+") closeSync(openSync(path, flags));
    return openSync(path, flags === "a+" ? "r+" : flags);
  });
  let unlock = () => {};
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new OperatorError("disk-format", `${path} is not a regular file; give a disk image`);
    if (!readOnly) unlock = lockFile(path);
    return new FileStore(path, file, stat.size, readOnly, unlock);
  } catch (error) {
    closeSync(file);
    unlock();
    throw error instanceof OperatorError ? error : fileError("open disk", path, error);
  }
}

/** An empty file without a name in the system's temporary folder: it vanishes with the process, however that ends. */
export function scratchStore(): FileStore {
  try {
    const folder = mkdtempSync(join(tmpdir(), "isola-"));
    const path = join(folder, "scratch");
    const file = openSync(path, "wx+", 0o600);
    rmSync(folder, { recursive: true });
    return new FileStore(`temporary changes to ${tmpdir()}`, file, 0, false, () => {}, false);
  } catch (error) {
    throw fileError("make a scratch file in", tmpdir(), error);
  }
}
