// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";

/** What a card has moved and lost. */
export interface NetCounts {
  framesOut: number;
  framesIn: number;
  bytesOut: number;
  bytesIn: number;
  /** Frames of the driver that made no sense, and frames that no buffer of the driver could hold. */
  dropped: number;
  /** Times that the network had a frame and the driver no buffer. */
  starved: number;
}

/** The counts of a card that has moved nothing yet. */
export function netCounts(): NetCounts {
  return { framesOut: 0, framesIn: 0, bytesOut: 0, bytesIn: 0, dropped: 0, starved: 0 };
}

/** What both directions of a PCI card share with it. */
export interface CardParts<State> {
  state(): State;
  readonly ram: GuestRam;
  readonly counts: NetCounts;
  /** Whether the card may read and write memory. */
  mayMaster(): boolean;
}

/** A packet that the driver hands over in pieces. */
export class GatheredPacket {
  readonly bytes: Uint8Array;
  /** Bytes of a packet whose last piece has not come. */
  filled = 0;

  /** @param limit the most bytes that it can hold */
  constructor(private readonly limit: number) {
    this.bytes = new Uint8Array(limit);
  }

  /** Forgets what has come so far. */
  clear(): void {
    this.filled = 0;
  }

  /** A copy of what has come so far. */
  save(): number[] {
    return [...this.bytes.subarray(0, this.filled)];
  }

  /** Takes over what was saved; what is beyond the limit is lost. */
  restore(saved: readonly number[]): void {
    this.filled = Math.min(saved.length, this.limit);
    this.bytes.set(saved.slice(0, this.limit));
  }
}
