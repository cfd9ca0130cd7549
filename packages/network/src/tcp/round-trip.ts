// SPDX-License-Identifier: Apache-2.0

const MS = 1e6;
const MIN_TIMEOUT = 300 * MS;
const MAX_TIMEOUT = 60_000 * MS;
const INITIAL_TIMEOUT = 1000 * MS;

/** Retransmission timeout from measured round trips (RFC 6298), in ns. The least is above the pauses of a busy guest. */
export class RoundTrip {
  private smoothed = -1;
  private variation = 0;
  private timeout = INITIAL_TIMEOUT;

  get retransmitAfter(): number {
    return this.timeout;
  }

  measured(time: number): void {
    if (this.smoothed < 0) {
      this.smoothed = time;
      this.variation = time / 2;
    } else {
      this.variation = 0.75 * this.variation + 0.25 * Math.abs(this.smoothed - time);
      this.smoothed = 0.875 * this.smoothed + 0.125 * time;
    }
    this.timeout = Math.min(MAX_TIMEOUT, Math.max(MIN_TIMEOUT, this.smoothed + 4 * this.variation));
  }

  /** A timeout has passed in vain: the next one is twice as long. */
  backOff(): void {
    this.timeout = Math.min(MAX_TIMEOUT, this.timeout * 2);
  }
}
