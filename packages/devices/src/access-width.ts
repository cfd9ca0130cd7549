// SPDX-License-Identifier: Apache-2.0
import type { AccessSize } from "@isola/memory";

/** What an access of `size` bytes reads where nothing answers. */
export function allOnes(size: AccessSize): number {
  return size === 4 ? 0xffff_ffff : size === 2 ? 0xffff : 0xff;
}

/** The part of a 32-bit register that an access of `size` bytes at `offset` reads; only the low two bits of it count. */
export function partOf(register: number, offset: number, size: AccessSize): number {
  const value = register >>> ((offset & 3) * 8);
  return size === 4 ? value : value & (size === 2 ? 0xffff : 0xff);
}

/** What an access of `size` bytes at `offset` reads where each byte is asked for by itself: the first is the lowest. */
export function fromBytes(offset: number, size: AccessSize, byteAt: (offset: number) => number): number {
  let value = 0;
  for (let at = offset + size - 1; at >= offset; at--) value = (value << 8) | byteAt(at);
  return value >>> 0;
}
