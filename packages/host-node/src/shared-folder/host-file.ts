// SPDX-License-Identifier: Apache-2.0
import { fdatasync, fsync, ftruncate, read, write } from "node:fs";
import { promisify } from "node:util";
import type { FileAttributes, OpenFile } from "@isola/ports";
import { attributesOf, statOf } from "./attributes.js";
import type { Descriptor } from "./descriptor.js";

const calls = { fdatasync: promisify(fdatasync), fsync: promisify(fsync), ftruncate: promisify(ftruncate) };

function readAt(fd: number, into: Uint8Array, offset: number): Promise<number> {
  return new Promise((resolve, reject) =>
    read(fd, into, 0, into.length, offset, (error, count) => (error === null ? resolve(count) : reject(error))),
  );
}

function writeAt(fd: number, bytes: Uint8Array, offset: number): Promise<number> {
  return new Promise((resolve, reject) =>
    write(fd, bytes, 0, bytes.length, offset, (error, count) => (error === null ? resolve(count) : reject(error))),
  );
}

/** A regular file of the host that a guest has opened. */
export class HostFile implements OpenFile {
  constructor(private readonly descriptor: Descriptor) {}

  read(offset: number, into: Uint8Array): Promise<number> {
    return this.descriptor.use(async (fd) => {
      let done = 0;
      while (done < into.length) {
        const count = await readAt(fd, into.subarray(done), offset + done);
        if (count === 0) break;
        done += count;
      }
      return done;
    });
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    return this.descriptor.use(async (fd) => {
      for (let done = 0; done < bytes.length;) done += await writeAt(fd, bytes.subarray(done), offset + done);
    });
  }

  resize(size: number): Promise<void> {
    return this.descriptor.use((fd) => calls.ftruncate(fd, size));
  }

  attributes(): Promise<FileAttributes> {
    return this.descriptor.use(async (fd) => attributesOf(await statOf(fd)));
  }

  flush(metadata: boolean): Promise<void> {
    return this.descriptor.use((fd) => (metadata ? calls.fsync(fd) : calls.fdatasync(fd)));
  }

  close(): Promise<void> {
    return this.descriptor.close();
  }
}
