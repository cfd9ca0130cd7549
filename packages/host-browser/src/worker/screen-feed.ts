// SPDX-License-Identifier: Apache-2.0
import type { ScreenPicture, ScreenSource } from "@isola/ports";
import { type PictureChange, pictureChange } from "../display/picture-change.js";

/** A picture may take one part in so many of the thread's time: the machine comes first. */
const SHARE = 15;

/** Tells what has changed on a screen since it was last asked. */
export class ScreenFeed {
  private shown: ScreenPicture | null = null;
  private busyUntil = 0;

  /** @param now time in ms */
  constructor(private readonly now: () => number) {}

  /** @param whole the one who asks shows nothing yet */
  next(source: ScreenSource, whole: boolean): PictureChange | "off" | null {
    const start = this.now();
    if (start < this.busyUntil && !whole) return null;
    const change = this.change(source, whole);
    const end = this.now();
    this.busyUntil = end + SHARE * (end - start);
    return change;
  }

  private change(source: ScreenSource, whole: boolean): PictureChange | "off" | null {
    const picture = source.picture();
    const before = whole ? null : this.shown;
    this.shown = picture;
    return picture === null ? "off" : pictureChange(before, picture);
  }
}
