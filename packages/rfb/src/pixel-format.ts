// SPDX-License-Identifier: Apache-2.0
import { bytes16, u16 } from "./byte-queue.js";

export const PIXEL_FORMAT_SIZE = 16;

/** How pixels are sent (RFC 6143, 7.4): each colour as a number of up to `max`, shifted to its place. */
export interface PixelFormat {
  readonly bits: 8 | 16 | 32;
  readonly depth: number;
  readonly bigEndian: boolean;
  readonly red: Channel;
  readonly green: Channel;
  readonly blue: Channel;
}

interface Channel {
  readonly max: number;
  readonly shift: number;
}

/** What the server has by itself: red in the lowest byte, like its pictures. */
export const NATIVE_FORMAT: PixelFormat = {
  bits: 32,
  depth: 24,
  bigEndian: false,
  red: { max: 255, shift: 0 },
  green: { max: 255, shift: 8 },
  blue: { max: 255, shift: 16 },
};

export function encodeFormat({ bits, depth, bigEndian, red, green, blue }: PixelFormat): number[] {
  const channels = [red, green, blue];
  const maxima = bytes16(...channels.map(({ max }) => max));
  return [bits, depth, bigEndian ? 1 : 0, 1, ...maxima, ...channels.map(({ shift }) => shift), 0, 0, 0];
}

/** A format that a client asks for; null for colour maps, and for what is no format. */
export function decodeFormat(bytes: Uint8Array): PixelFormat | null {
  const [bits = 0, depth = 0, bigEndian = 0, trueColour = 0] = bytes;
  const channel = (i: number): Channel => ({ max: u16(bytes, 4 + 2 * i), shift: bytes[10 + i] ?? 0 });
  const channels = [channel(0), channel(1), channel(2)] as const;
  const fits = channels.every(({ max, shift }) => shift < bits && max > 0 && max * 2 ** shift < 2 ** bits);
  if (trueColour === 0 || !fits || (bits !== 8 && bits !== 16 && bits !== 32)) return null;
  const [red, green, blue] = channels;
  return { bits, depth, bigEndian: bigEndian !== 0, red, green, blue };
}

/** Turns red, green and blue of a picture into a client's pixels. */
export class PixelEncoder {
  /** Bytes of a pixel. */
  readonly size: number;
  /** Bytes of a pixel of ZRLE, which leaves a byte that is not used out (RFC 6143, 7.7.5: CPIXEL). */
  readonly compactSize: number;
  private readonly first: number;

  constructor(private readonly format: PixelFormat) {
    this.size = format.bits / 8;
    const used = [format.red, format.green, format.blue].reduce((all, { max, shift }) => all + max * 2 ** shift, 0);
    const low = used < 2 ** 24;
    const high = used % 256 === 0;
    const compact = format.bits === 32 && format.depth <= 24 && (low || high);
    this.compactSize = compact ? 3 : this.size;
    // Where the three bytes begin in the four.
    this.first = compact && low === format.bigEndian ? 1 : 0;
  }

  /** Value of a pixel that is 0xXXBBGGRR in a picture. */
  value(pixel: number): number {
    const { red, green, blue } = this.format;
    const scale = (level: number, { max, shift }: Channel) =>
      (max === 255 ? level : Math.round((level * max) / 255)) * 2 ** shift;
    return scale(pixel & 0xff, red) + scale((pixel >> 8) & 0xff, green) + scale((pixel >> 16) & 0xff, blue);
  }

  /** Writes a value; returns where the next one goes. */
  put(value: number, into: Uint8Array, at: number): number {
    for (let i = 0; i < this.size; i++) into[at + i] = this.byte(value, i);
    return at + this.size;
  }

  /** The same as a compact pixel. */
  putCompact(value: number, into: Uint8Array, at: number): number {
    for (let i = 0; i < this.compactSize; i++) into[at + i] = this.byte(value, this.first + i);
    return at + this.compactSize;
  }

  private byte(value: number, index: number): number {
    return (value >>> (8 * (this.format.bigEndian ? this.size - 1 - index : index))) & 0xff;
  }
}
