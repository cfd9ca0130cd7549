// SPDX-License-Identifier: Apache-2.0
import type { AccessHandle } from "./access-handle.js";

function named(name: string): Error {
  return Object.assign(new Error(name), { name });
}

/** A file of the browser's storage, in memory; one may have it open at a time. */
class FakeFile {
  readonly kind = "file";
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array();
  open = false;
  flushes = 0;

  createSyncAccessHandle(): Promise<AccessHandle> {
    if (this.open) return Promise.reject(named("NoModificationAllowedError"));
    this.open = true;
    return Promise.resolve({
      read: (buffer, { at }) => {
        // Browsers may give less than was asked for.
        const part = this.bytes.subarray(at, at + Math.min(buffer.length, 100_000));
        buffer.set(part);
        return part.length;
      },
      write: (buffer, { at }) => {
        const part = buffer.subarray(0, 100_000);
        if (at + part.length > this.bytes.length) this.truncate(at + part.length);
        this.bytes.set(part, at);
        return part.length;
      },
      truncate: (size) => this.truncate(size),
      getSize: () => this.bytes.length,
      flush: () => void this.flushes++,
      close: () => void (this.open = false),
    });
  }

  getFile(): Promise<File> {
    return Promise.resolve(new File([this.bytes], "file"));
  }

  private truncate(size: number): void {
    const other = new Uint8Array(size);
    other.set(this.bytes.subarray(0, size));
    this.bytes = other;
  }
}

/** A folder of the browser's storage. */
export class FakeFolder {
  readonly kind = "directory";
  readonly files = new Map<string, FakeFile>();
  readonly folders = new Map<string, FakeFolder>();

  getDirectoryHandle(name: string): Promise<FakeFolder> {
    const folder = this.folders.get(name) ?? new FakeFolder();
    this.folders.set(name, folder);
    return Promise.resolve(folder);
  }

  getFileHandle(name: string, { create = false } = {}): Promise<FakeFile> {
    const file = this.files.get(name) ?? new FakeFile();
    if (!create && !this.files.has(name)) return Promise.reject(named("NotFoundError"));
    this.files.set(name, file);
    return Promise.resolve(file);
  }

  removeEntry(name: string): Promise<void> {
    const file = this.files.get(name);
    if (file === undefined) return Promise.reject(named("NotFoundError"));
    if (file.open) return Promise.reject(named("NoModificationAllowedError"));
    this.files.delete(name);
    return Promise.resolve();
  }

  async *entries(): AsyncGenerator<[string, FakeFile]> {
    yield* this.files;
  }

  async *keys(): AsyncGenerator<string> {
    yield* this.files.keys();
  }
}
