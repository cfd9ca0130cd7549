// SPDX-License-Identifier: Apache-2.0
import { CHUNK_BYTES } from "./registers.js";

/** Buffers that are kept for later; a store that answers at once needs one. */
const MAX_SPARE = 2;

/**
 * Buffers through which requests move their data. They are used again and again: fresh memory has to be cleared, and
 * given back, which takes longer than copying what is moved.
 */
export class BounceBuffers {
  private readonly spare: Uint8Array[] = [];

  /** A buffer of CHUNK_BYTES with anything in it. */
  take(): Uint8Array {
    return this.spare.pop() ?? new Uint8Array(CHUNK_BYTES);
  }

  /** The buffer is not used any more. */
  give(buffer: Uint8Array): void {
    if (this.spare.length < MAX_SPARE) this.spare.push(buffer);
  }
}
