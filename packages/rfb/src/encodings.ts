// SPDX-License-Identifier: Apache-2.0
// Raw and ZRLE (RFC 6143, 7.7.1 and 7.7.6).
import { bytes32 } from "./byte-queue.js";
import type { PixelEncoder } from "./pixel-format.js";

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Pixels 0xXXBBGGRR, line by line. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint32Array;
}

/**
 * Raw deflate blocks (RFC 1951) of some data: none of them the last one, the last one ending at a byte. Each call may
 * begin with an empty window.
 */
export type Compress = (data: Uint8Array) => Uint8Array;

export const ZRLE_TILE = 64;
/** Header of a zlib stream (RFC 1950): deflate, window of 32 KiB. */
const ZLIB_HEADER = [0x78, 0x9c];
const MAX_PALETTE = 16;

/** Values of the pixels of a rectangle. */
function valuesOf(frame: Frame, { x, y, width, height }: Rectangle, encoder: PixelEncoder): Uint32Array {
  const values = new Uint32Array(width * height);
  // Neighbours are often the same.
  let lastPixel = -1;
  let lastValue = 0;
  for (let row = 0, at = 0; row < height; row++) {
    const start = (y + row) * frame.width + x;
    for (let i = start; i < start + width; i++) {
      const pixel = frame.pixels[i] ?? 0;
      if (pixel !== lastPixel) {
        lastPixel = pixel;
        lastValue = encoder.value(pixel);
      }
      values[at++] = lastValue;
    }
  }
  return values;
}

export function encodeRaw(frame: Frame, area: Rectangle, encoder: PixelEncoder): Uint8Array {
  const bytes = new Uint8Array(area.width * area.height * encoder.size);
  let at = 0;
  for (const value of valuesOf(frame, area, encoder)) at = encoder.put(value, bytes, at);
  return bytes;
}

/** Bits of an index into a palette of so many colours. */
function indexBits(colours: number): number {
  if (colours === 2) return 1;
  return colours <= 4 ? 2 : 4;
}

function packedTile(values: Uint32Array, width: number, palette: readonly number[], encoder: PixelEncoder): Uint8Array {
  const bits = indexBits(palette.length);
  const lineBytes = Math.ceil((width * bits) / 8);
  const indices = new Map(palette.map((value, i) => [value, i]));
  const bytes = new Uint8Array(1 + palette.length * encoder.compactSize + lineBytes * (values.length / width));
  bytes[0] = palette.length;
  let at = 1;
  for (const value of palette) at = encoder.putCompact(value, bytes, at);
  values.forEach((value, i) => {
    const column = i % width;
    const line = at + Math.floor(i / width) * lineBytes;
    const byte = line + ((column * bits) >> 3);
    bytes[byte] = (bytes[byte] ?? 0) | ((indices.get(value) ?? 0) << (8 - bits - ((column * bits) & 7)));
  });
  return bytes;
}

/** One colour, a palette of up to 16, or pixel by pixel. Runs are left to zlib. */
function encodeTile(values: Uint32Array, width: number, encoder: PixelEncoder): Uint8Array {
  const colours = new Set<number>();
  for (const value of values) if (colours.add(value).size > MAX_PALETTE) break;
  const palette = [...colours];
  if (palette.length > 1 && palette.length <= MAX_PALETTE) return packedTile(values, width, palette, encoder);
  const solid = palette.length === 1;
  const bytes = new Uint8Array(1 + (solid ? 1 : values.length) * encoder.compactSize);
  bytes[0] = solid ? 1 : 0;
  let at = 1;
  for (const value of solid ? palette : values) at = encoder.putCompact(value, bytes, at);
  return bytes;
}

/** The one zlib stream that all ZRLE rectangles of a connection are parts of. */
export class ZrleEncoder {
  private begun = false;

  constructor(private readonly compress: Compress) {}

  encode(frame: Frame, { x, y, width, height }: Rectangle, encoder: PixelEncoder): Uint8Array {
    const tiles: Uint8Array[] = [];
    for (let top = 0; top < height; top += ZRLE_TILE)
      for (let left = 0; left < width; left += ZRLE_TILE) {
        const tile = {
          x: x + left,
          y: y + top,
          width: Math.min(ZRLE_TILE, width - left),
          height: Math.min(ZRLE_TILE, height - top),
        };
        tiles.push(encodeTile(valuesOf(frame, tile, encoder), tile.width, encoder));
      }
    const blocks = this.compress(join(tiles));
    const header = this.begun ? [] : ZLIB_HEADER;
    this.begun = true;
    return join([Uint8Array.from([...bytes32(header.length + blocks.length), ...header]), blocks]);
  }
}

/** All parts as one. */
export function join(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
