// SPDX-License-Identifier: Apache-2.0
import { getU64, setU64 } from "../integers.js";

/** Reads and writes the refcounts of a block, whose width is a power of two from 1 to 64 bits. */
export class RefcountField {
  /** The largest refcount that fits; of 64-bit ones, the largest exact number. */
  readonly max: number;
  private readonly bits: number;

  constructor(private readonly order: number) {
    this.bits = 2 ** order;
    this.max = order === 6 ? Number.MAX_SAFE_INTEGER : 2 ** this.bits - 1;
  }

  get(block: DataView, index: number): number {
    switch (this.order) {
      case 3:
        return block.getUint8(index);
      case 4:
        return block.getUint16(index * 2);
      case 5:
        return block.getUint32(index * 4);
      case 6:
        return getU64(block, index * 8);
      default:
        // Several in a byte, the first in its lowest bits.
        return (block.getUint8((index * this.bits) >> 3) >> ((index * this.bits) & 7)) & this.max;
    }
  }

  set(block: DataView, index: number, value: number): void {
    switch (this.order) {
      case 3:
        return block.setUint8(index, value);
      case 4:
        return block.setUint16(index * 2, value);
      case 5:
        return block.setUint32(index * 4, value);
      case 6:
        return setU64(block, index * 8, value);
      default: {
        const at = (index * this.bits) >> 3;
        const shift = (index * this.bits) & 7;
        block.setUint8(at, (block.getUint8(at) & ~(this.max << shift)) | (value << shift));
      }
    }
  }

  /** Byte of a block in which refcount `index` begins. */
  byteOf(index: number): number {
    return Math.floor((index * this.bits) / 8);
  }
}
