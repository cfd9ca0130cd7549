// SPDX-License-Identifier: Apache-2.0
import type { FileHandle } from "node:fs/promises";

const BUFFER = 4 << 20;
const ZEROS = new Uint8Array(1 << 20);

function isZero(bytes: Uint8Array): boolean {
  return bytes.length <= ZEROS.length && Buffer.compare(bytes, ZEROS.subarray(0, bytes.length)) === 0;
}

/**
 * Joins writes to neighbouring offsets of a new file, so that ten thousand small ones cost few system calls. Gaps, and
 * blocks of zeros, stay holes.
 */
export class SequentialWriter {
  private readonly buffer = new Uint8Array(BUFFER);
  private start = 0;
  private used = 0;

  constructor(private readonly handle: FileHandle) {}

  /** Writes `bytes` at `offset` of the file. A gap of less than a block behind the last write is filled with zeros. */
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length >= 4096 && isZero(bytes)) return;
    const gap = offset - (this.start + this.used);
    const joins = this.used > 0 && gap >= 0 && gap < 4096;
    if (!joins || this.used + gap + bytes.length > BUFFER) await this.flush();
    if (bytes.length > BUFFER / 2) {
      await this.put(bytes, offset);
      return;
    }
    if (this.used === 0) this.start = offset;
    const at = offset - this.start;
    this.buffer.fill(0, this.used, at);
    this.buffer.set(bytes, at);
    this.used = at + bytes.length;
  }

  async flush(): Promise<void> {
    if (this.used > 0) await this.put(this.buffer.subarray(0, this.used), this.start);
    this.used = 0;
  }

  private async put(bytes: Uint8Array, offset: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      done += (await this.handle.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
    }
  }
}
