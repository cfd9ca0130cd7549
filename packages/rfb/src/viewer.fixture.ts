// SPDX-License-Identifier: Apache-2.0
import { constants, inflateSync } from "node:zlib";

const TILE = 64;

/** The decoding half of a VNC viewer, written from RFC 6143 alone. */
export class TestViewer {
  private format: readonly number[] = [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16];
  private screen: number[];
  /** All of the connection's zlib stream so far, and how much of what it holds has been looked at. */
  private stream = Buffer.alloc(0);
  private inflated = 0;

  constructor(
    public width: number,
    public height: number,
  ) {
    this.screen = new Array<number>(width * height).fill(-1);
  }

  setFormat(format: readonly number[]): void {
    this.format = format;
  }

  /** Pixels as 0xBBGGRR. */
  rgb(): number[] {
    return this.screen;
  }

  /** Takes one update message, which must be whole; returns the number of its rectangles. */
  update(bytes: Uint8Array): number {
    const message = Buffer.from(bytes);
    const count = message.readUInt16BE(2);
    let at = 4;
    for (let i = 0; i < count; i++) {
      const [x, y, width, height] = [0, 2, 4, 6].map((field) => message.readUInt16BE(at + field)) as [
        number,
        number,
        number,
        number,
      ];
      const encoding = message.readInt32BE(at + 8);
      at += 12;
      if (encoding === 0) at = this.raw(message, at, x, y, width, height);
      else if (encoding === 16) at = this.zrle(message, at, x, y, width, height);
      else if (encoding === -223) {
        this.width = width;
        this.height = height;
        this.screen = new Array<number>(width * height).fill(-1);
      } else throw new Error(`encoding ${encoding}`);
    }
    if (message[0] !== 0 || at !== message.length) throw new Error("not one update");
    return count;
  }

  private raw(message: Buffer, start: number, x: number, y: number, width: number, height: number): number {
    const size = (this.format[0] ?? 0) / 8;
    for (let i = 0; i < width * height; i++) {
      const pixel = this.colour(message.subarray(start + i * size, start + (i + 1) * size));
      this.put(x + (i % width), y + Math.floor(i / width), pixel);
    }
    return start + width * height * size;
  }

  private zrle(message: Buffer, start: number, x: number, y: number, width: number, height: number): number {
    const length = message.readUInt32BE(start);
    this.stream = Buffer.concat([this.stream, message.subarray(start + 4, start + 4 + length)]);
    const all = inflateSync(this.stream, { finishFlush: constants.Z_SYNC_FLUSH });
    const data = all.subarray(this.inflated);
    this.inflated = all.length;
    let at = 0;
    const size = this.format[0] === 32 ? 3 : (this.format[0] ?? 0) / 8;
    const pixel = () => {
      at += size;
      return this.colour(this.widened(data.subarray(at - size, at)));
    };
    for (let top = 0; top < height; top += TILE)
      for (let left = 0; left < width; left += TILE) {
        const [columns, rows] = [Math.min(TILE, width - left), Math.min(TILE, height - top)];
        const kind = data[at++] ?? 0;
        if (kind > 16) throw new Error(`subencoding ${kind}`);
        const palette = Array.from({ length: kind }, pixel);
        const bits = kind <= 2 ? 1 : kind <= 4 ? 2 : 4;
        for (let row = 0; row < rows; row++) {
          for (let column = 0; column < columns; column++) {
            const byte = data[at + ((column * bits) >> 3)] ?? 0;
            const index = (byte >> (8 - bits - ((column * bits) & 7))) & ((1 << bits) - 1);
            const value = kind === 0 ? pixel() : (palette[kind === 1 ? 0 : index] ?? -1);
            this.put(x + left + column, y + top + row, value);
          }
          if (kind > 1) at += Math.ceil((columns * bits) / 8);
        }
      }
    if (at !== data.length) throw new Error(`${data.length - at} bytes too many`);
    return start + 4 + length;
  }

  /** A compact pixel of three bytes with the fourth one back. */
  private widened(bytes: Buffer): Buffer {
    if (bytes.length !== 3) return bytes;
    const inLowBytes = this.format.slice(10, 13).includes(0);
    const bigEndian = this.format[2] !== 0;
    return Buffer.concat(inLowBytes === bigEndian ? [Buffer.alloc(1), bytes] : [bytes, Buffer.alloc(1)]);
  }

  private colour(bytes: Buffer): number {
    const value = this.format[2] === 0 ? bytes.readUIntLE(0, bytes.length) : bytes.readUIntBE(0, bytes.length);
    const level = (i: number) => {
      const max = (this.format[4 + 2 * i] ?? 0) * 256 + (this.format[5 + 2 * i] ?? 0);
      return Math.round(((Math.floor(value / 2 ** (this.format[10 + i] ?? 0)) & max) * 255) / max);
    };
    return level(0) | (level(1) << 8) | (level(2) << 16);
  }

  private put(x: number, y: number, pixel: number): void {
    if (x >= this.width || y >= this.height) throw new Error("outside the screen");
    this.screen[y * this.width + x] = pixel;
  }
}
