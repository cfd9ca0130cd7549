// SPDX-License-Identifier: Apache-2.0

const MAGIC = 0xfd2f_b528;
const RLE_BLOCK = 1;

/**
 * Length of the Zstandard frame that `data` begins with (RFC 8878, section 3.1.1), or -1 if it is not whole. Images pack
 * frames one behind the other without their lengths, and decoders take what follows for more of the same data.
 */
export function zstdFrameLength(data: Uint8Array): number {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  if (data.length < 6 || view.getUint32(0, true) !== MAGIC) return -1;
  const descriptor = data[4];
  const singleSegment = (descriptor >> 5) & 1;
  const sizeField = descriptor >> 6 === 0 ? singleSegment : 1 << (descriptor >> 6);
  const dictionary = [0, 1, 2, 4][descriptor & 3];
  let at = 5 + (1 - singleSegment) + dictionary + sizeField;
  for (let last = false; !last;) {
    if (at + 3 > data.length) return -1;
    const header = data[at] | (data[at + 1] << 8) | (data[at + 2] << 16);
    last = (header & 1) !== 0;
    at += 3 + (((header >> 1) & 3) === RLE_BLOCK ? 1 : header >> 3);
  }
  at += ((descriptor >> 2) & 1) * 4;
  return at <= data.length ? at : -1;
}
