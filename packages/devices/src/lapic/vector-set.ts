// SPDX-License-Identifier: Apache-2.0

/** A set of interrupt vectors (IRR, ISR, TMR) that knows its highest member without a search. */
export class VectorSet {
  private readonly words = new Int32Array(8);
  private top = -1;

  /** Highest vector in the set, or -1. */
  highest(): number {
    return this.top;
  }

  has(vector: number): boolean {
    return (this.words[vector >> 5] & (1 << (vector & 31))) !== 0;
  }

  add(vector: number): void {
    this.words[vector >> 5] |= 1 << (vector & 31);
    if (vector > this.top) this.top = vector;
  }

  remove(vector: number): void {
    this.words[vector >> 5] &= ~(1 << (vector & 31));
    if (vector === this.top) this.top = this.scan(vector >> 5);
  }

  clear(): void {
    this.words.fill(0);
    this.top = -1;
  }

  /** One of the eight 32-bit registers that show the set. */
  word(index: number): number {
    return this.words[index & 7] >>> 0;
  }

  save(): number[] {
    return Array.from(this.words, (word) => word >>> 0);
  }

  restore(words: readonly number[]): void {
    for (let i = 0; i < 8; i++) this.words[i] = words[i] ?? 0;
    this.top = this.scan(7);
  }

  private scan(from: number): number {
    for (let i = from; i >= 0; i--) if (this.words[i] !== 0) return i * 32 + 31 - Math.clz32(this.words[i]);
    return -1;
  }
}
