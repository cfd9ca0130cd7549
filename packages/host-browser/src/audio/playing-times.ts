// SPDX-License-Identifier: Apache-2.0

/** Seconds by which the first piece of a sound is late, so that those that follow can be late as well. */
const LATENCY = 0.08;
/** Seconds of sound that may wait for their turn; a machine whose clock runs ahead is cut off there. */
const MAX_AHEAD = 0.5;
/** Pieces whose distance in seconds is smaller belong together: the rest comes from rounding. */
const JOINT = 0.005;

/**
 * Decides when pieces of a machine's sound are played. The machine has its own clock, the loudspeaker another one that
 * runs at nearly the same speed, and both may stand still.
 */
export class PlayingTimes {
  /** What the loudspeaker's clock shows when the machine's shows 0; null before the first piece. */
  private origin: number | null = null;
  /** When what has been taken so far ends, on the loudspeaker's clock. */
  private end = 0;

  /**
   * @param time when the piece began, in seconds on the machine's clock
   * @param length its length in seconds
   * @param now what the loudspeaker's clock shows, in seconds
   * @returns when to play it on the loudspeaker's clock; null: not at all
   */
  take(time: number, length: number, now: number): number | null {
    let start = this.origin === null ? -1 : time + this.origin;
    if (Math.abs(start - this.end) < JOINT) start = this.end;
    const isAhead = start > now + MAX_AHEAD;
    if (isAhead && this.end > now) return null;
    if (isAhead || start < now) {
      start = now + LATENCY;
      this.origin = start - time;
    }
    this.end = start + length;
    return start;
  }
}
