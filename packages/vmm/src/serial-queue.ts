// SPDX-License-Identifier: Apache-2.0

/** Input that waits for room in a serial port. */
export class SerialQueue {
  private chunks: Uint8Array[] = [];
  private waiting = 0;

  /** @param offer gives bytes to the port and returns how many it took */
  constructor(private readonly offer: (bytes: Uint8Array) => number) {}

  /** Bytes that wait. */
  get length(): number {
    return this.waiting;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.chunks.push(bytes.slice());
    this.waiting += bytes.length;
    if (this.chunks.length === 1) this.drain();
  }

  /** Offers what waits, until the port is full. */
  drain(): void {
    for (;;) {
      const chunk = this.chunks[0];
      if (chunk === undefined) return;
      const taken = this.offer(chunk);
      this.waiting -= taken;
      if (taken < chunk.length) {
        this.chunks[0] = chunk.subarray(taken);
        return;
      }
      this.chunks.shift();
    }
  }

  clear(): void {
    this.chunks = [];
    this.waiting = 0;
  }
}
