// SPDX-License-Identifier: Apache-2.0

/** Castagnoli's polynomial, lowest bit first. */
const POLYNOMIAL = 0x82f6_3b78;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) !== 0 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** CRC-32C of `bytes`, of which the four from `hole` on count as zeros. */
export function crc32c(bytes: Uint8Array, hole: number): number {
  let crc = 0xffff_ffff;
  for (let i = 0; i < bytes.length; i++) {
    const byte = i >= hole && i < hole + 4 ? 0 : bytes[i];
    crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}
