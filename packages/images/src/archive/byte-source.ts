// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open } from "node:fs/promises";

/** Read-only bytes with random access: a file on disk or an array in memory. */
export interface ByteSource {
  /** Length in bytes. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`; rejects with {@link ArchiveError} when the range leaves the source. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** The bytes of an archive do not follow its format. The caller knows which file it was and says so. */
export class ArchiveError extends Error {
  override readonly name = "ArchiveError";
}

function checkRange(size: number, offset: number, length: number): void {
  if (offset < 0 || length < 0 || offset + length > size) {
    throw new ArchiveError(`truncated: ${length} bytes wanted at ${offset}, the file has ${size}`);
  }
}

/** Bytes in memory. */
export class MemorySource implements ByteSource {
  readonly size: number;
  constructor(private readonly bytes: Uint8Array) {
    this.size = bytes.length;
  }
  async read(offset: number, length: number): Promise<Uint8Array> {
    checkRange(this.size, offset, length);
    return this.bytes.subarray(offset, offset + length);
  }
}

/** How much {@link FileSource} reads at once: archives are walked header by header, mostly forwards. */
const WINDOW = 64 * 1024;

/** A file, read through one window so that walking small headers costs few system calls. */
export class FileSource implements ByteSource {
  private window: Uint8Array = new Uint8Array(0);
  private windowStart = 0;

  private constructor(
    private readonly handle: FileHandle,
    readonly size: number,
  ) {}

  static async open(path: string): Promise<FileSource> {
    const handle = await open(path, "r");
    try {
      return new FileSource(handle, (await handle.stat()).size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    checkRange(this.size, offset, length);
    if (length > WINDOW) return this.readThrough(offset, length);
    if (offset < this.windowStart || offset + length > this.windowStart + this.window.length) {
      this.window = await this.readThrough(offset, Math.min(WINDOW, this.size - offset));
      this.windowStart = offset;
    }
    const at = offset - this.windowStart;
    return this.window.subarray(at, at + length);
  }

  private async readThrough(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.handle.read(bytes, done, length - done, offset + done);
      if (bytesRead === 0) throw new ArchiveError(`truncated: the file ended at ${offset + done} while being read`);
      done += bytesRead;
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}
