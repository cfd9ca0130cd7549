// SPDX-License-Identifier: Apache-2.0
import { BLOCK_SIZE, BUFFER_SIZE } from "./registers.js";

const QUERY_AT = 0x10;
const VENDOR_TABLE_AT = 0x31;
const INTEL_EXTENDED = 1;

const letters = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));
const word = (value: number): number[] => [value & 0xff, value >> 8];

/**
 * The query table of a chip with one byte-wide interface and one region of equal blocks (Common Flash Interface, JEDEC
 * JESD68.01), and Intel's table behind it, which names no optional feature.
 * @param size bytes of the array
 */
export function queryTable(size: number): Uint8Array {
  const table = new Uint8Array(0x100);
  const blocks = size / BLOCK_SIZE;
  table.set(
    [
      ...letters("QRY"),
      ...word(INTEL_EXTENDED),
      ...word(VENDOR_TABLE_AT),
      // No alternative command set.
      ...word(0),
      ...word(0),
      // 2.7 to 3.6 V, no programming voltage.
      ...[0x27, 0x36, 0, 0],
      // Typical times as powers of two: 256 us a byte, 256 us a buffer, 1 s a block; the longest are 16 times as long.
      ...[8, 8, 10, 0],
      ...[4, 4, 4, 0],
      // Size and buffer size as powers of two; a size that is none is rounded up, and the region says what there is.
      Math.ceil(Math.log2(size)),
      ...word(0),
      ...word(Math.log2(BUFFER_SIZE)),
      1,
      ...word(blocks - 1),
      ...word(BLOCK_SIZE / 256),
    ],
    QUERY_AT,
  );
  table.set([...letters("PRI10"), 0, 0, 0, 0, 0, ...word(0), 0x33, 0], VENDOR_TABLE_AT);
  return table;
}
