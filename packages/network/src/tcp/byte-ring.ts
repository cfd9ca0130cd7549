// SPDX-License-Identifier: Apache-2.0

const SMALLEST = 4096;

/** A queue of bytes that can be looked at anywhere, in one array that grows with what it holds. */
export class ByteRing {
  private bytes = new Uint8Array(0);
  private head = 0;
  private count = 0;

  get length(): number {
    return this.count;
  }

  append(data: Uint8Array): void {
    if (this.count + data.length > this.bytes.length) this.grow(this.count + data.length);
    const { bytes } = this;
    const at = (this.head + this.count) & (bytes.length - 1);
    const first = Math.min(data.length, bytes.length - at);
    bytes.set(data.subarray(0, first), at);
    bytes.set(data.subarray(first), 0);
    this.count += data.length;
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

  /** Forgets the first `length` bytes; an empty queue gives its memory back. */
  drop(length: number): void {
    this.count -= length;
    if (this.count > 0) {
      this.head = (this.head + length) & (this.bytes.length - 1);
      return;
    }
    this.head = 0;
    if (this.bytes.length > 16 * SMALLEST) this.bytes = new Uint8Array(0);
  }

  clear(): void {
    this.drop(this.count);
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
