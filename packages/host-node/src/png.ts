// SPDX-License-Identifier: Apache-2.0
import { crc32, deflateSync } from "node:zlib";

/** A picture in red, green, blue and alpha bytes, line by line. */
export interface RgbaPicture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const TRUECOLOUR = 2;
const INDEXED = 3;
const MAX_PALETTE = 256;
/** The one method of compression and filtering, no interlacing. */
const HEADER_REST = [0, 0, 0];
const UNFILTERED = 0;

function chunk(type: string, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, "latin1");
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}

/** A colour of each pixel as one number. */
function colours({ width, height, pixels }: RgbaPicture): Uint32Array {
  const result = new Uint32Array(width * height);
  for (let i = 0, at = 0; i < result.length; i++, at += 4)
    result[i] = ((pixels[at] ?? 0) << 16) | ((pixels[at + 1] ?? 0) << 8) | (pixels[at + 2] ?? 0);
  return result;
}

/** The number of each colour in the order of appearance; null for more of them than a palette has. */
function paletteOf(image: Uint32Array): Map<number, number> | null {
  const palette = new Map<number, number>();
  for (const colour of image) {
    if (palette.has(colour)) continue;
    if (palette.size === MAX_PALETTE) return null;
    palette.set(colour, palette.size);
  }
  return palette;
}

/** Bits of an index: a power of two (PNG specification, third edition, 11.2.1). */
function depthOf(count: number): number {
  return count <= 2 ? 1 : count <= 4 ? 2 : count <= 16 ? 4 : 8;
}

function indexedLines(image: Uint32Array, palette: ReadonlyMap<number, number>, width: number, depth: number): Buffer {
  const height = image.length / width;
  const stride = 1 + Math.ceil((width * depth) / 8);
  const lines = Buffer.alloc(height * stride, UNFILTERED);
  // The leftmost pixel is in the high bits of a byte (7.2).
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      lines[y * stride + 1 + (bit >> 3)] |= (palette.get(image[y * width + x]) ?? 0) << (8 - depth - (bit & 7));
    }
  return lines;
}

function trueColourLines(image: Uint32Array, width: number): Buffer {
  const lines = Buffer.alloc((image.length / width) * (1 + width * 3));
  let to = 0;
  for (let i = 0; i < image.length; i++) {
    if (i % width === 0) lines[to++] = UNFILTERED;
    to = lines.writeUIntBE(image[i], to, 3);
  }
  return lines;
}

/**
 * Turns a picture into a PNG file (PNG specification, third edition), with a palette where its colours fit into one. Its
 * alpha bytes are left out.
 */
export function encodePng(picture: RgbaPicture): Uint8Array {
  const { width, height } = picture;
  const image = colours(picture);
  const palette = paletteOf(image);
  const depth = palette === null ? 8 : depthOf(palette.size);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, palette === null ? TRUECOLOUR : INDEXED, ...HEADER_REST], 8);
  const parts = [chunk("IHDR", header)];
  if (palette !== null) {
    const entries = Buffer.alloc(palette.size * 3);
    for (const [colour, index] of palette) entries.writeUIntBE(colour, index * 3, 3);
    parts.push(chunk("PLTE", entries));
  }
  const lines = palette === null ? trueColourLines(image, width) : indexedLines(image, palette, width, depth);
  parts.push(chunk("IDAT", deflateSync(lines, { level: 9 })), chunk("IEND", new Uint8Array()));
  return Buffer.concat([SIGNATURE, ...parts]);
}
