// SPDX-License-Identifier: Apache-2.0

/** What a monitor shows. */
export interface ScreenPicture {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and 255 for each pixel, line by line. */
  readonly pixels: Uint8Array;
}

/** A screen that others look at. */
export interface ScreenSource {
  /** What it shows now; null while it is switched off. Not written any more. */
  picture(): ScreenPicture | null;
}

/** 0 to 32767 over the width and the height of a screen. */
export interface PointerPosition {
  readonly x: number;
  readonly y: number;
}

/** Takes what somebody types and points at. Never throws; without a keyboard or mouse, or while paused, it is lost. */
export interface InputSink {
  /** Scan code of set 1, with 0xE000 added for keys whose codes begin with E0; 0xE11D is Pause. */
  key(code: number, pressed: boolean): void;
  /**
   * A movement to the right and downwards in pixels, clicks of the wheel towards the user, and all buttons that are down:
   * bit 0 left, 1 right, 2 middle.
   * @param at where the pointer is now, if that is known, for machines with a pointer that tells where it is
   */
  mouse(dx: number, dy: number, wheel: number, buttons: number, at?: PointerPosition): void;
}
