// SPDX-License-Identifier: Apache-2.0

const SMALLEST = 4096;

/** A queue of bytes that can be looked at anywhere, in one array that grows with what it holds. */
export class ByteRing {
  private bytes = new Uint8Array(0);
  private head = 0;
  private count = 0;
  /** Whether anything was put in since the last call of `release`. */
  private used = false;

  get length(): number {
    return this.count;
  }

  /** Bytes of memory that it takes. */
  get capacity(): number {
    return this.bytes.length;
  }

  append(data: Uint8Array): void {
    if (this.count + data.length > this.bytes.length) this.grow(this.count + data.length);
    const { bytes } = this;
    const at = (this.head + this.count) & (bytes.length - 1);
    const first = Math.min(data.length, bytes.length - at);
    bytes.set(data.subarray(0, first), at);
    bytes.set(data.subarray(first), 0);
    this.count += data.length;
    this.used = true;
  }

  /** Copies `length` bytes from `offset` on to `into`, which begins at `at`. The range must be inside the queue. */
  copy(offset: number, length: number, into: Uint8Array, at: number): void {
    if (length === 0) return;
    const { bytes } = this;
    const start = (this.head + offset) & (bytes.length - 1);
    const first = Math.min(length, bytes.length - start);
    into.set(bytes.subarray(start, start + first), at);
    into.set(bytes.subarray(0, length - first), at + first);
  }

  /** Forgets the first `length` bytes. */
  drop(length: number): void {
    this.count -= length;
    this.head = this.count === 0 ? 0 : (this.head + length) & (this.bytes.length - 1);
  }

  /** Gives memory back if nothing has been in the queue since the last call. */
  release(): void {
    if (this.count === 0 && !this.used && this.bytes.length > 16 * SMALLEST) this.bytes = new Uint8Array(0);
    this.used = this.count > 0;
  }

  /** Forgets everything and gives the memory back. */
  clear(): void {
    this.bytes = new Uint8Array(0);
    this.head = 0;
    this.count = 0;
  }

  private grow(needed: number): void {
    let size = Math.max(SMALLEST, this.bytes.length);
    while (size < needed) size *= 2;
    const bytes = new Uint8Array(size);
    this.copy(0, this.count, bytes, 0);
    this.bytes = bytes;
    this.head = 0;
  }
}
