// SPDX-License-Identifier: Apache-2.0

/**
 * Compiled guest code, outside the memory of the machine if the host can: what has been saved, and behind it what the
 * machine adds. What it adds is gone with the log unless it is saved.
 */
export interface CodeLog {
  /** Bytes so far; at first those that have been saved. */
  readonly length: number;
  /** A copy of a range that lies within the log; null if it cannot be read any more. */
  read(at: number, length: number): Uint8Array | null;
  /** Adds all of `bytes` at the end, or nothing: false if there is no room. */
  append(bytes: Uint8Array): boolean;
}
