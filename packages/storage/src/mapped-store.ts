// SPDX-License-Identifier: Apache-2.0
import type { BlockStore } from "@isola/ports";
import { readClipped } from "./clipped-read.js";
import { readOnlyImage } from "./image-error.js";
import { perform, type Steps } from "./steps.js";

/** Where a stretch of the disk is kept. */
export interface Piece {
  /** At least one byte, at most as many as were asked for. */
  readonly length: number;
  /** The bytes themselves, or the store that has them from `offset` on, or null for zeros. */
  readonly from: Uint8Array | BlockStore | null;
  readonly offset: number;
}

/** Tells where the disk's bytes from `offset` on are kept, at once or after it has looked. */
export type Locate = (offset: number, length: number) => Piece | Steps<Piece>;

/** A read-only disk whose parts lie in other stores, in a way that `locate` knows. */
export class MappedStore implements BlockStore {
  readonly readOnly = true;
  private closed = false;

  /** @param parts are closed with the disk */
  constructor(
    private readonly name: string,
    readonly size: number,
    private readonly locate: Locate,
    private readonly parts: readonly BlockStore[],
  ) {}

  read(offset: number, buffer: Uint8Array): void | Promise<void> {
    return perform(this.reading(offset, buffer));
  }

  write(): never {
    throw readOnlyImage(this.name);
  }

  flush(): void {}

  close(): void | Promise<void> {
    if (this.closed) return;
    this.closed = true;
    return perform(this.closing());
  }

  private *reading(offset: number, buffer: Uint8Array): Steps<void> {
    for (let done = 0; done < buffer.length;) {
      const found = this.locate(offset + done, buffer.length - done);
      const piece = "from" in found ? found : yield* found;
      const target = buffer.subarray(done, done + piece.length);
      if (piece.from === null) target.fill(0);
      else if (piece.from instanceof Uint8Array)
        target.set(piece.from.subarray(piece.offset, piece.offset + piece.length));
      else yield* readClipped(piece.from, piece.offset, target);
      done += piece.length;
    }
  }

  private *closing(): Steps<void> {
    for (const part of this.parts) yield part.close();
  }
}
