// SPDX-License-Identifier: Apache-2.0

/** Bytes of a stream that wait until there are enough of them. */
export class ByteQueue {
  private bytes = new Uint8Array();

  get length(): number {
    return this.bytes.length;
  }

  push(more: Uint8Array): void {
    const all = new Uint8Array(this.bytes.length + more.length);
    all.set(this.bytes);
    all.set(more, this.bytes.length);
    this.bytes = all;
  }

  /** The byte at an offset, which must be there. */
  peek(offset: number): number {
    return this.bytes[offset] ?? 0;
  }

  /** Takes the next `length` bytes, or null (and nothing) if there are not so many. */
  take(length: number): Uint8Array | null {
    if (this.bytes.length < length) return null;
    const taken = this.bytes.subarray(0, length);
    this.bytes = this.bytes.subarray(length);
    return taken;
  }
}

/** Big-endian numbers. */
export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

export function u32(bytes: Uint8Array, at: number): number {
  return u16(bytes, at) * 0x1_0000 + u16(bytes, at + 2);
}

export function bytes16(...values: number[]): number[] {
  return values.flatMap((value) => [(value >> 8) & 0xff, value & 0xff]);
}

export function bytes32(value: number): number[] {
  return [(value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}
