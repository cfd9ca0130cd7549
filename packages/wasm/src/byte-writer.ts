// SPDX-License-Identifier: Apache-2.0
/** Bytes that grow at the end, with the integers of WebAssembly's binary format (LEB128). */
export class ByteWriter {
  length = 0;
  private data: Uint8Array;

  constructor(capacity = 256) {
    this.data = new Uint8Array(capacity);
  }

  /** What has been written. Valid until the next write. */
  get bytes(): Uint8Array {
    return this.data.subarray(0, this.length);
  }

  byte(value: number): void {
    if (this.length === this.data.length) this.grow(1);
    this.data[this.length++] = value;
  }

  append(bytes: Uint8Array | readonly number[]): void {
    if (this.length + bytes.length > this.data.length) this.grow(bytes.length);
    this.data.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** A 32-bit integer in four bytes, the lowest first. */
  word(value: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.byte((value >>> shift) & 0xff);
  }

  /** `value` (0 to 2^32-1) as unsigned LEB128. */
  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** A 32-bit integer as signed LEB128. */
  signed32(value: number): void {
    let rest = value | 0;
    while (rest < -0x40 || rest > 0x3f) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.byte(rest & 0x7f);
  }

  /** A 64-bit integer as signed LEB128. */
  signed64(value: bigint): void {
    const low = Number(BigInt.asIntN(32, value));
    if (BigInt(low) === BigInt.asIntN(64, value)) return this.signed32(low);
    let rest = BigInt.asIntN(64, value);
    while (rest < -0x40n || rest > 0x3fn) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.byte(Number(rest & 0x7fn));
  }

  /** Replaces the byte at `offset`. */
  replace(offset: number, value: number): void {
    this.data[offset] = value;
  }

  /** Moves what is from `start` on in front of everything else. */
  rotate(start: number): void {
    const front = this.data.slice(start, this.length);
    this.data.copyWithin(front.length, 0, start);
    this.data.set(front);
  }

  private grow(by: number): void {
    const data = new Uint8Array(Math.max(this.data.length * 2, this.length + by));
    data.set(this.data.subarray(0, this.length));
    this.data = data;
  }
}
