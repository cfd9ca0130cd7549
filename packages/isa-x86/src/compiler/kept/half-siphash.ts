// SPDX-License-Identifier: Apache-2.0
/**
 * HalfSipHash-2-4 with 64 bits of output (Aumasson and Bernstein, "SipHash: a fast short-input PRF", and its variant for
 * 32-bit words): without the key nobody can find two inputs of one hash.
 */
export class HalfSipHash {
  /** The hash, once {@link finish} has been called. */
  low = 0;
  high = 0;
  private v0 = 0;
  private v1 = 0;
  private v2 = 0;
  private v3 = 0;
  private words = 0;

  constructor(
    private readonly key0: number,
    private readonly key1: number,
  ) {}

  begin(): void {
    this.v0 = this.key0;
    this.v1 = this.key1 ^ 0xee;
    this.v2 = 0x6c796765 ^ this.key0;
    this.v3 = 0x74656462 ^ this.key1;
    this.words = 0;
  }

  /** Takes in four bytes, the lowest first. */
  word(word: number): void {
    this.v3 ^= word;
    this.round();
    this.round();
    this.v0 ^= word;
    this.words++;
  }

  /** Ends an input of whole words. */
  finish(): void {
    this.word((this.words * 4) << 24);
    this.v2 ^= 0xee;
    this.rounds();
    this.low = (this.v1 ^ this.v3) >>> 0;
    this.v1 ^= 0xdd;
    this.rounds();
    this.high = (this.v1 ^ this.v3) >>> 0;
  }

  private rounds(): void {
    for (let i = 0; i < 4; i++) this.round();
  }

  private round(): void {
    let { v0, v1, v2, v3 } = this;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    this.v0 = v0;
    this.v1 = v1;
    this.v2 = (v2 << 16) | (v2 >>> 16);
    this.v3 = v3;
  }
}
