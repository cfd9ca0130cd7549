// SPDX-License-Identifier: Apache-2.0
import { closeSync, fdatasync, fstatSync, openSync, readSync } from "node:fs";
import { OperatorError } from "@isola/base";
import type { BlockStore } from "@isola/ports";
import { lockFile } from "./file-lock.js";
import { readFully, writeFully } from "./file-io.js";
import { fileError } from "./host-error.js";

const SECTOR = 512;
const FORMATS: readonly { readonly magic: string; readonly name: string }[] = [
  { magic: "QFI\u00fb", name: "qcow2" },
  { magic: "KDMV", name: "VMDK" },
  { magic: "conectix", name: "VHD" },
  { magic: "vhdxfile", name: "VHDX" },
];

export interface FileBlockOptions {
  readonly path: string;
  readonly readOnly: boolean;
}

/**
 * A raw disk image in a file. Reads and writes are synchronous: they nearly always hit the page cache, and a round trip
 * through Node's thread pool costs more. A flush is fdatasync(2) in the thread pool. Holes of a sparse file stay holes
 * until they are written.
 */
class FileBlockStore implements BlockStore {
  private closed = false;

  constructor(
    private readonly path: string,
    private readonly file: number,
    readonly size: number,
    readonly readOnly: boolean,
    private readonly unlock: () => void,
  ) {}

  read(offset: number, buffer: Uint8Array): void {
    try {
      readFully(this.file, offset, buffer);
    } catch (error) {
      throw fileError("read", this.path, error);
    }
  }

  write(offset: number, buffer: Uint8Array): void {
    if (this.readOnly) throw new OperatorError("read-only", `${this.path} is read-only`);
    try {
      writeFully(this.file, offset, buffer);
    } catch (error) {
      throw fileError("write", this.path, error);
    }
  }

  flush(): void | Promise<void> {
    if (this.readOnly) return;
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
}

function checkFormat(path: string, file: number): void {
  const head = Buffer.alloc(8);
  const text = head.toString("latin1", 0, readSync(file, head, 0, 8, 0));
  const found = FORMATS.find(({ magic }) => text.startsWith(magic));
  if (found !== undefined)
    throw new OperatorError("disk-format", `${path} is a ${found.name} image; convert it to a raw one first`);
}

/**
 * Opens a raw disk image; unless `readOnly`, its exclusive lock is taken too. Throws OperatorError if the file is
 * missing, locked, not a raw image, or not a whole number of 512-byte sectors.
 */
export function openFileBlockStore({ path, readOnly }: FileBlockOptions): BlockStore {
  let file: number;
  try {
    file = openSync(path, readOnly ? "r" : "r+");
  } catch (error) {
    throw fileError("open disk", path, error);
  }
  let unlock = () => {};
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new OperatorError("disk-format", `${path} is not a regular file; give a raw disk image`);
    if (stat.size === 0 || stat.size % SECTOR !== 0)
      throw new OperatorError(
        "disk-format",
        `${path} has ${stat.size} bytes, which is not a whole number of ${SECTOR}-byte sectors; is it truncated?`,
      );
    checkFormat(path, file);
    if (!readOnly) unlock = lockFile(path);
    return new FileBlockStore(path, file, stat.size, readOnly, unlock);
  } catch (error) {
    closeSync(file);
    unlock();
    throw error instanceof OperatorError ? error : fileError("open disk", path, error);
  }
}
