// SPDX-License-Identifier: Apache-2.0
import { crc32, deflateSync } from "node:zlib";

/** A picture in red, green, blue and alpha bytes, line by line. */
export interface RgbaPicture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** Eight bits a sample, red, green and blue, the one method of compression and filtering, no interlacing. */
const HEADER_REST = [8, 2, 0, 0, 0];
const UNFILTERED = 0;

function chunk(type: string, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, "latin1");
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}

/** Turns a picture into a PNG file (PNG specification, third edition); its alpha bytes are left out. */
export function encodePng({ width, height, pixels }: RgbaPicture): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set(HEADER_REST, 8);
  const lines = Buffer.alloc(height * (1 + width * 3));
  let to = 0;
  for (let y = 0; y < height; y++) {
    lines[to++] = UNFILTERED;
    for (let at = y * width * 4, end = at + width * 4; at < end; at += 4) {
      lines[to++] = pixels[at] ?? 0;
      lines[to++] = pixels[at + 1] ?? 0;
      lines[to++] = pixels[at + 2] ?? 0;
    }
  }
  const parts = [chunk("IHDR", header), chunk("IDAT", deflateSync(lines)), chunk("IEND", new Uint8Array())];
  return Buffer.concat([SIGNATURE, ...parts]);
}
