// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { pictureChange } from "./picture-change.js";

const WIDTH = 20;
const HEIGHT = 10;

function picture(dots: readonly (readonly [number, number])[] = [], width = WIDTH, height = HEIGHT) {
  const words = new Uint32Array(width * height).fill(0xff00_0000);
  for (const [x, y] of dots) words[y * width + x] = 0xffff_ffff;
  return { width, height, pixels: new Uint8Array(words.buffer) };
}

it("is the whole picture at first and when the mode changes, and nothing when nothing does", () => {
  const first = pictureChange(null, picture());
  expect([first?.x, first?.y, first?.columns, first?.rows, first?.pixels.length]).toEqual([0, 0, 20, 10, 800]);
  expect(pictureChange(picture(), picture([], 40, 10))?.columns).toBe(40);
  expect(pictureChange(picture([[3, 4]]), picture([[3, 4]]))).toBeNull();
});

it("is the smallest rectangle around all changes, whatever they are", () => {
  let seed = 1;
  const random = (below: number) => (seed = (seed * 48_271) % 0x7fff_ffff) % below;
  for (let i = 0; i < 300; i++) {
    const dots = Array.from({ length: 1 + random(4) }, () => [random(WIDTH), random(HEIGHT)] as const);
    const now = picture(dots);
    const change = pictureChange(picture(), now);
    const [xs, ys] = [dots.map(([x]) => x), dots.map(([, y]) => y)];
    const [left, top] = [Math.min(...xs), Math.min(...ys)];
    expect([change?.x, change?.y, change?.columns, change?.rows]).toEqual([
      left,
      top,
      Math.max(...xs) - left + 1,
      Math.max(...ys) - top + 1,
    ]);
    const columns = change?.columns ?? 0;
    for (const [x, y] of dots) expect(change?.pixels[((y - top) * columns + x - left) * 4]).toBe(0xff);
  }
});
