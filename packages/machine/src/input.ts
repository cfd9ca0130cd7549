// SPDX-License-Identifier: Apache-2.0

/** A key that goes down or up. */
export interface KeyInput {
  /**
   * Scan code of set 1 when the key goes down, with 0xE000 added for keys whose codes begin with E0, for example 0x1C for
   * Enter and 0xE048 for the upward arrow. 0xE11D is the Pause key.
   */
  readonly code: number;
  readonly pressed: boolean;
}

/** A movement of the mouse since the last one. */
export interface MouseInput {
  /** To the right. */
  readonly dx: number;
  /** Downwards. */
  readonly dy: number;
  /** Clicks of the wheel towards the user. */
  readonly wheel: number;
  /** All buttons that are down: bit 0 left, 1 right, 2 middle, 3 and 4 the others. */
  readonly buttons: number;
  /**
   * Where the pointer is now, for devices that tell that and not how far it has moved: 0 to 32767 over the width and the
   * height of the screen. Absent if it is not known.
   */
  readonly at?: { readonly x: number; readonly y: number };
}
