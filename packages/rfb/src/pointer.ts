// SPDX-License-Identifier: Apache-2.0
import type { InputSink, ScreenPicture } from "@isola/ports";

const WHEEL_UP = 1 << 3;
const WHEEL_DOWN = 1 << 4;
const LEFT = 1;
const MIDDLE = 2;
const RIGHT = 4;

const LAST_POSITION = 0x7fff;

/** A place on a screen of `size` pixels as a part of the whole: the last pixel is the end. */
function fraction(pixel: number, size: number): number {
  return Math.round((Math.min(pixel, size - 1) * LAST_POSITION) / Math.max(size - 1, 1));
}

/**
 * Positions of a client's pointer, also as movements of a mouse. Where the machine has only that, the two pointers part
 * where a guest accelerates its own; they meet again in a corner of the screen.
 */
export class Pointer {
  private last: { readonly x: number; readonly y: number } | null = null;
  private mask = 0;

  constructor(private readonly input: InputSink) {}

  /**
   * @param size of the screen that the client knows
   * @param mask buttons as in RFC 6143, 7.5.5: left, middle, right, then the wheel away from and towards the user
   */
  move(x: number, y: number, mask: number, size: Pick<ScreenPicture, "width" | "height">): void {
    const { x: fromX, y: fromY } = this.last ?? { x, y };
    const pressed = mask & ~this.mask;
    const wheel = (pressed & WHEEL_DOWN ? 1 : 0) - (pressed & WHEEL_UP ? 1 : 0);
    const buttons = (mask & LEFT ? 1 : 0) | (mask & RIGHT ? 2 : 0) | (mask & MIDDLE ? 4 : 0);
    this.last = { x, y };
    this.mask = mask;
    const at = { x: fraction(x, size.width), y: fraction(y, size.height) };
    this.input.mouse(x - fromX, y - fromY, wheel, buttons, at);
  }
}
