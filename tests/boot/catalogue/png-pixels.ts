// SPDX-License-Identifier: Apache-2.0
import { inflateSync } from "node:zlib";

/** A picture with one number (red, green, blue from the high bits on) a pixel, line by line. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint32Array;
}

const SIGNATURE_LENGTH = 8;
const INDEXED = 3;

/** Reads the pictures that `isola run --screenshot` writes: with a palette or 24 bits a pixel, never filtered. */
export function readPng(png: Buffer): Picture {
  const chunks = new Map<string, Buffer>();
  for (let at = SIGNATURE_LENGTH; at < png.length;) {
    const data = png.subarray(at + 8, at + 8 + png.readUInt32BE(at));
    chunks.set(png.toString("latin1", at + 4, at + 8), data);
    at += data.length + 12;
  }
  const header = chunks.get("IHDR") ?? Buffer.alloc(13);
  const [width, height, depth] = [header.readUInt32BE(0), header.readUInt32BE(4), header[8]];
  const palette = header[9] === INDEXED ? (chunks.get("PLTE") ?? Buffer.alloc(0)) : null;
  const lines = inflateSync(chunks.get("IDAT") ?? Buffer.alloc(0));
  const stride = 1 + Math.ceil((width * (palette === null ? 24 : depth)) / 8);
  const pixels = new Uint32Array(width * height);
  for (let i = 0; i < pixels.length; i++) {
    const line = Math.floor(i / width) * stride + 1;
    const x = i % width;
    if (palette === null) pixels[i] = lines.readUIntBE(line + x * 3, 3);
    else {
      const index = (lines[line + ((x * depth) >> 3)] >> (8 - depth - ((x * depth) & 7))) & ((1 << depth) - 1);
      pixels[i] = palette.readUIntBE(index * 3, 3);
    }
  }
  return { width, height, pixels };
}
