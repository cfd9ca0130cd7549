// SPDX-License-Identifier: Apache-2.0
// Bit deposit and extract, and CRC-32C. Pure functions.

/** PDEP: the low bits of `value` go to the positions of the ones of `mask`. */
export function depositBits(value: u64, mask: u64): u64 {
  let result: u64 = 0;
  for (let rest = mask; rest != 0; rest &= rest - 1) {
    if ((value & 1) != 0) result |= rest & (0 - rest);
    value >>= 1;
  }
  return result;
}

/** PEXT: the bits of `value` at the positions of the ones of `mask`, side by side. */
export function extractBits(value: u64, mask: u64): u64 {
  let result: u64 = 0;
  let at: u64 = 1;
  for (let rest = mask; rest != 0; rest &= rest - 1) {
    if ((value & rest & (0 - rest)) != 0) result |= at;
    at <<= 1;
  }
  return result;
}

/** The polynomial 11EDC6F41 of the CRC32 instruction, bits reflected, without the top one. */
const POLYNOMIAL: u32 = 0x82f6_3b78;
/** CRC of every byte value. */
const byteTable: usize = memory.data(1024);
let tableReady: bool = false;

function makeTable(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) != 0 ? POLYNOMIAL : 0);
    store<u32>(byteTable + (<usize>byte << 2), crc);
  }
  tableReady = true;
}

/** CRC32: `crc` continued with the low `bytes` of `value`. */
export function crc32c(crc: u32, value: u64, bytes: u32): u32 {
  if (!tableReady) makeTable();
  for (let i: u32 = 0; i < bytes; i++) {
    crc = (crc >> 8) ^ load<u32>(byteTable + (<usize>((crc ^ <u32>value) & 0xff) << 2));
    value >>= 8;
  }
  return crc;
}
