// SPDX-License-Identifier: Apache-2.0
import type { CodeLog } from "@isola/ports";

/** A log of compiled code for hosts whose files do not answer at once. */
export class CodeInMemory implements CodeLog {
  length = 0;
  /** By where they begin, in order. */
  private readonly pieces: { readonly at: number; readonly bytes: Uint8Array }[] = [];

  /** @param saved what is there at first; it must not change */
  constructor(saved: Uint8Array | null = null) {
    if (saved !== null) this.add(saved);
  }

  read(at: number, length: number): Uint8Array | null {
    const piece = this.pieces[this.pieceAt(at)];
    // What is added in one piece is read in one piece.
    return piece === undefined ? null : piece.bytes.slice(at - piece.at, at - piece.at + length);
  }

  append(bytes: Uint8Array): boolean {
    this.add(bytes.slice());
    return true;
  }

  private add(bytes: Uint8Array): void {
    this.pieces.push({ at: this.length, bytes });
    this.length += bytes.length;
  }

  /** Number of the last piece that does not begin behind `at`. */
  private pieceAt(at: number): number {
    let [low, high] = [0, this.pieces.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.pieces[middle]?.at ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
