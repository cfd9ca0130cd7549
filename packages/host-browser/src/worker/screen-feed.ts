// SPDX-License-Identifier: Apache-2.0
import type { ScreenPicture, ScreenSource } from "@isola/ports";
import { type PictureChange, pictureChange } from "../display/picture-change.js";

/** Tells what has changed on a screen since it was last asked. */
export class ScreenFeed {
  private shown: ScreenPicture | null = null;

  /** @param whole the one who asks shows nothing yet */
  next(source: ScreenSource, whole: boolean): PictureChange | "off" | null {
    const picture = source.picture();
    const before = whole ? null : this.shown;
    this.shown = picture;
    return picture === null ? "off" : pictureChange(before, picture);
  }
}
