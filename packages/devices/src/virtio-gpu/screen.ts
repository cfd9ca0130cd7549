// SPDX-License-Identifier: Apache-2.0
import type { ScreenPicture } from "@isola/ports";
import { CURSOR_SIDE } from "./registers.js";
import type { Rectangle, Resource } from "./resource.js";

/** Where a cursor is and what it looks like; `image` is 64 by 64 pixels. */
export interface Cursor {
  readonly image: Resource | null;
  readonly x: number;
  readonly y: number;
  readonly hotX: number;
  readonly hotY: number;
}

/** Alpha of a picture's pixels, of which the lowest byte is red. */
const OPAQUE = 0xff00_0000;

/** Pixels in the order of a picture: red, green, blue, and 255 for alpha. */
export function drawScreen(resource: Resource, area: Rectangle, cursor: Cursor): ScreenPicture {
  const { width, height } = area;
  const pixels = new Uint8Array(width * height * 4);
  const into = new Uint32Array(pixels.buffer);
  const from = new Uint32Array(resource.pixels.buffer);
  const [red, green, blue] = resource.order.map((place) => place * 8);
  let to = 0;
  for (let row = 0; row < height; row++) {
    const start = (area.y + row) * resource.width + area.x;
    for (let at = start; at < start + width; at++, to++) {
      const pixel = from[at];
      into[to] =
        OPAQUE | ((pixel >>> red) & 0xff) | (((pixel >>> green) & 0xff) << 8) | (((pixel >>> blue) & 0xff) << 16);
    }
  }
  const picture = { width, height, pixels };
  if (cursor.image !== null) drawCursor(picture, cursor.image, cursor.x - cursor.hotX, cursor.y - cursor.hotY);
  return picture;
}

/** Lays a cursor over a picture; its colours are multiplied by its alpha already, as Linux and Windows send them. */
function drawCursor({ width, height, pixels }: ScreenPicture, image: Resource, left: number, top: number): void {
  const [red, green, blue, alpha] = image.order;
  for (let row = 0; row < Math.min(CURSOR_SIDE, image.height); row++) {
    const y = top + row;
    if (y < 0 || y >= height) continue;
    for (let column = 0; column < Math.min(CURSOR_SIDE, image.width); column++) {
      const x = left + column;
      if (x < 0 || x >= width) continue;
      const from = (row * image.width + column) * 4;
      const opaque = alpha < 0 ? 255 : image.pixels[from + alpha];
      if (opaque === 0) continue;
      const to = (y * width + x) * 4;
      [red, green, blue].forEach((part, i) => {
        const under = (pixels[to + i] * (255 - opaque)) / 255;
        pixels[to + i] = Math.min(255, Math.round(image.pixels[from + part] + under));
      });
    }
  }
}
