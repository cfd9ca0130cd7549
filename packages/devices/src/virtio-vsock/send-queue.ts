// SPDX-License-Identifier: Apache-2.0

/** Bytes that wait to be sent, up to a limit. */
export class SendQueue {
  private chunks: Uint8Array[] = [];
  private waiting = 0;

  constructor(private readonly limit: number) {}

  get length(): number {
    return this.waiting;
  }

  /** Takes a copy of as much as there is room for; returns how much that was. */
  push(bytes: Uint8Array): number {
    const taken = bytes.slice(0, Math.max(0, this.limit - this.waiting));
    if (taken.length === 0) return 0;
    this.chunks.push(taken);
    this.waiting += taken.length;
    return taken.length;
  }

  /** Takes up to `most` bytes from the front, from one chunk. */
  take(most: number): Uint8Array {
    const first = this.chunks[0];
    if (first === undefined || most <= 0) return new Uint8Array();
    const piece = first.subarray(0, most);
    this.waiting -= piece.length;
    if (piece.length === first.length) this.chunks.shift();
    else this.chunks[0] = first.subarray(piece.length);
    return piece;
  }

  clear(): void {
    this.chunks = [];
    this.waiting = 0;
  }
}
