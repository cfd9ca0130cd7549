// SPDX-License-Identifier: Apache-2.0
import { distance } from "./sequence.js";

interface Piece {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** Pieces kept at most: with more holes than that, the sender sends again. */
const MAX_PIECES = 64;

/** Data that came before what precedes it. Pieces are sorted and do not overlap. */
export class Reassembly {
  private pieces: Piece[] = [];

  get empty(): boolean {
    return this.pieces.length === 0;
  }

  /** Keeps a copy of what `bytes`, from `seq` on, adds to the pieces. `seq` must be after everything delivered. */
  insert(seq: number, bytes: Uint8Array): void {
    let start = seq;
    let rest = bytes;
    let i = 0;
    for (; i < this.pieces.length && rest.length > 0; i++) {
      const piece = this.pieces[i];
      const gap = distance(start, piece.seq);
      if (gap > 0) {
        const fits = Math.min(gap, rest.length);
        if (!this.add(i, start, rest.subarray(0, fits))) return;
        if (fits === rest.length) return;
        i++;
        rest = rest.subarray(fits);
        start = (start + fits) >>> 0;
      }
      const covered = Math.min(rest.length, Math.max(0, distance(start, piece.seq) + piece.bytes.length));
      rest = rest.subarray(covered);
      start = (start + covered) >>> 0;
    }
    if (rest.length > 0) this.add(this.pieces.length, start, rest);
  }

  /** Takes the next bytes if they are there: those that begin at or before `next` and end after it. */
  take(next: number): Uint8Array | null {
    for (;;) {
      const piece = this.pieces[0];
      if (piece === undefined) return null;
      const skip = distance(piece.seq, next);
      if (skip < 0) return null;
      this.pieces.shift();
      if (skip < piece.bytes.length) return piece.bytes.subarray(skip);
    }
  }

  clear(): void {
    this.pieces = [];
  }

  private add(index: number, seq: number, bytes: Uint8Array): boolean {
    if (this.pieces.length >= MAX_PIECES) return false;
    this.pieces.splice(index, 0, { seq, bytes: bytes.slice() });
    return true;
  }
}
