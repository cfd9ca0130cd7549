// SPDX-License-Identifier: Apache-2.0
import { type Frame, type Rectangle, ZRLE_TILE } from "./encodings.js";

function lineDiffers(a: Frame, b: Frame, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (a.pixels[i] !== b.pixels[i]) return true;
  return false;
}

/** Whether two frames of the same size differ in a rectangle. */
function differs(a: Frame, b: Frame, { x, y, width, height }: Rectangle): boolean {
  for (let row = y; row < y + height; row++) {
    const start = row * a.width + x;
    if (lineDiffers(a, b, start, start + width)) return true;
  }
  return false;
}

/** What has changed inside `area` between two frames of the same size: tiles, those beside each other joined. */
export function changedParts(before: Frame, now: Frame, area: Rectangle): Rectangle[] {
  const parts: Rectangle[] = [];
  const right = area.x + area.width;
  const bottom = area.y + area.height;
  for (let y = area.y; y < bottom; y += ZRLE_TILE) {
    const height = Math.min(ZRLE_TILE, bottom - y);
    let run = null as Rectangle | null;
    for (let x = area.x; x < right; x += ZRLE_TILE) {
      const tile = { x, y, width: Math.min(ZRLE_TILE, right - x), height };
      if (differs(before, now, tile)) run = run === null ? tile : { ...run, width: run.width + tile.width };
      else if (run !== null) {
        parts.push(run);
        run = null;
      }
    }
    if (run !== null) parts.push(run);
  }
  return parts;
}
