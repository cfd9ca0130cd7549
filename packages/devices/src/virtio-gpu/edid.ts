// SPDX-License-Identifier: Apache-2.0
// What a monitor says of itself (VESA Enhanced EDID 1.4): one block of 128 bytes.

const BLOCK = 128;
const REFRESH = 60;
/** Reduced blanking (VESA CVT 1.1, 5.4): pixels beside the picture, and the least time in us between two pictures. */
const HORIZONTAL_BLANK = 160;
const MIN_VERTICAL_BLANK_US = 460;
const HORIZONTAL_FRONT = 48;
const HORIZONTAL_SYNC = 32;
const VERTICAL_FRONT = 3;
const VERTICAL_SYNC = 6;
/** Pixels a millimetre at 96 dots an inch. */
const PER_MILLIMETRE = 96 / 25.4;
const NAME = "Isola";

/** Primaries of sRGB (3.7). */
const CHROMATICITY = [0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54];

function manufacturer(letters: string): number[] {
  const code = [...letters].reduce((sum, letter) => (sum << 5) | (letter.charCodeAt(0) - 64), 0);
  return [code >> 8, code & 0xff];
}

function verticalBlank(height: number): number {
  const line = (1e6 / REFRESH - MIN_VERTICAL_BLANK_US) / height;
  return Math.max(Math.floor(MIN_VERTICAL_BLANK_US / line) + 1, VERTICAL_FRONT + VERTICAL_SYNC + 6);
}

/** The preferred mode (3.10.2). */
function detailedTiming(width: number, height: number): number[] {
  const blank = verticalBlank(height);
  const clock = Math.min(0xffff, Math.floor((REFRESH * (width + HORIZONTAL_BLANK) * (height + blank)) / 10_000));
  const [widthMm, heightMm] = [width, height].map((pixels) => Math.min(0xfff, Math.round(pixels / PER_MILLIMETRE)));
  const high = (upper: number, lower: number): number => ((upper >> 8) << 4) | (lower >> 8);
  return [
    ...[clock & 0xff, clock >> 8],
    ...[width & 0xff, HORIZONTAL_BLANK, high(width, HORIZONTAL_BLANK)],
    ...[height & 0xff, blank & 0xff, high(height, blank)],
    ...[HORIZONTAL_FRONT, HORIZONTAL_SYNC, (VERTICAL_FRONT << 4) | VERTICAL_SYNC, 0],
    ...[widthMm & 0xff, heightMm & 0xff, high(widthMm, heightMm)],
    // No borders; digital separate sync, vertical positive.
    ...[0, 0, 0x1c],
  ];
}

function descriptor(tag: number, body: readonly number[]): number[] {
  return [0, 0, 0, tag, 0, ...body, ...new Array<number>(13 - body.length).fill(0x20)];
}

/** The block of a monitor whose best mode is `width` by `height`, each at most 4095. */
export function edidBlock(width: number, height: number): Uint8Array {
  const centimetres = [width, height].map((pixels) => Math.min(255, Math.round(pixels / PER_MILLIMETRE / 10)));
  const name = [...NAME].map((letter) => letter.charCodeAt(0));
  const bytes = Uint8Array.from([
    ...[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0],
    // Product 1, serial number 1, made in week 0 of 2024; version 1.4.
    ...[...manufacturer("ISL"), 1, 0, 1, 0, 0, 0, 0, 2024 - 1990, 1, 4],
    // Digital, 8 bits a colour; size; gamma 2.2; sRGB, the first timing is the native one.
    ...[0xa5, ...centimetres, 120, 0x06],
    ...CHROMATICITY,
    // 640 by 480, 800 by 600, 1024 by 768, all at 60 Hz; no standard timings.
    ...[0x21, 0x08, 0, ...new Array<number>(16).fill(1)],
    ...detailedTiming(width, height),
    ...descriptor(0xfc, [...name, 0x0a]),
    // 50 to 125 Hz, 15 to 160 kHz, up to 660 MHz.
    ...descriptor(0xfd, [50, 125, 15, 160, 66, 0x01, 0x0a]),
    ...descriptor(0x10, []),
    ...[0, 0],
  ]);
  let sum = 0;
  for (let i = 0; i < BLOCK - 1; i++) sum += bytes[i];
  bytes[BLOCK - 1] = -sum & 0xff;
  return bytes;
}
