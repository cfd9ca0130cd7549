// SPDX-License-Identifier: Apache-2.0

/** Builds little-endian binary tables front to back. */
export class ByteWriter {
  private readonly bytes: number[] = [];

  get length(): number {
    return this.bytes.length;
  }

  u8(...values: readonly number[]): this {
    for (const value of values) this.bytes.push(value & 0xff);
    return this;
  }

  u16(value: number): this {
    return this.u8(value, value >>> 8);
  }

  u32(value: number): this {
    return this.u16(value & 0xffff).u16(value >>> 16);
  }

  /** A value below 2^53. */
  u64(value: number): this {
    return this.u32(value >>> 0).u32(Math.floor(value / 0x1_0000_0000));
  }

  /** ASCII text, padded with `fill` (a space unless given) or cut to `width` bytes. */
  text(value: string, width: number, fill = " "): this {
    const padded = value.padEnd(width, fill).slice(0, width);
    for (let i = 0; i < width; i++) this.u8(padded.charCodeAt(i));
    return this;
  }

  zeros(count: number): this {
    for (let i = 0; i < count; i++) this.bytes.push(0);
    return this;
  }

  /** Bytes that were built elsewhere. */
  append(bytes: Iterable<number>): this {
    for (const byte of bytes) this.bytes.push(byte & 0xff);
    return this;
  }

  /** Sets the byte at `at` so that the bytes from `start` to here add up to 0 modulo 256. */
  checksum(at: number, start = 0, end = this.length): this {
    this.bytes[at] = 0;
    let sum = 0;
    for (let i = start; i < end; i++) sum += this.bytes[i];
    this.bytes[at] = -sum & 0xff;
    return this;
  }

  /** Overwrites four bytes at `at`. */
  patchU32(at: number, value: number): this {
    for (let i = 0; i < 4; i++) this.bytes[at + i] = (value >>> (8 * i)) & 0xff;
    return this;
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }
}
