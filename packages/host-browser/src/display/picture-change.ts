// SPDX-License-Identifier: Apache-2.0
import type { ScreenPicture } from "@isola/ports";

/** A part of a picture, in pixels. */
export interface PictureChange {
  /** Size of the whole picture. */
  readonly width: number;
  readonly height: number;
  /** The smallest rectangle that holds all that has changed. */
  readonly x: number;
  readonly y: number;
  readonly columns: number;
  readonly rows: number;
  /** Red, green, blue and 255 for each of its pixels, line by line. */
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
}

function wordsOf({ pixels }: ScreenPicture): Uint32Array {
  return new Uint32Array(pixels.buffer, pixels.byteOffset, pixels.length >> 2);
}

/** What has to be drawn where `before` is shown (null: nothing is) so that `now` is shown; null if nothing. */
export function pictureChange(before: ScreenPicture | null, now: ScreenPicture): PictureChange | null {
  const { width, height } = now;
  const words = wordsOf(now);
  const same = before !== null && before.width === width && before.height === height;
  let [left, right, top, bottom] = [0, width, 0, height];
  if (same) {
    const old = wordsOf(before);
    let first = 0;
    while (first < words.length && words[first] === old[first]) first++;
    if (first === words.length) return null;
    let last = words.length - 1;
    while (words[last] === old[last]) last--;
    top = Math.floor(first / width);
    bottom = Math.floor(last / width) + 1;
    left = width;
    right = 0;
    for (let line = top * width; line < bottom * width; line += width) {
      for (let x = 0; x < left; x++) if (words[line + x] !== old[line + x]) left = x;
      for (let x = width - 1; x >= right; x--) if (words[line + x] !== old[line + x]) right = x + 1;
    }
  }
  const columns = right - left;
  const rows = bottom - top;
  const part = new Uint32Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    const from = (top + row) * width + left;
    part.set(words.subarray(from, from + columns), row * columns);
  }
  return { width, height, x: left, y: top, columns, rows, pixels: new Uint8ClampedArray(part.buffer) };
}
