// SPDX-License-Identifier: Apache-2.0
import type { Decompressor, ResizableStore } from "@isola/ports";

/** A file that has a disk image, or part of one. */
export interface ImageFile {
  /** What the host calls it, the same whatever way led there: messages show it, and loops are known by it. */
  readonly name: string;
  readonly store: ResizableStore;
}

/** What opening images needs of the host. */
export interface ImageHost {
  /**
   * Opens a file that another one refers to (a backing file, an extent, a parent), for reading only.
   * @param reference as it stands in the image; relative ones start from the place of `from`
   * @param from the `name` of the file that refers to it
   */
  open(reference: string, from: string): Promise<ImageFile>;
  readonly decompressor: Decompressor | null;
}
