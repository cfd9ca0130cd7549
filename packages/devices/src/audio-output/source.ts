// SPDX-License-Identifier: Apache-2.0

/** A device that makes sound, or takes its time from the output in other ways. */
export interface AudioSource {
  /** Whether frames have to be asked for: it plays or records. */
  active(): boolean;
  /** Frames until something happens that the guest waits for; Infinity for none. */
  framesToEvent(): number;
  /**
   * Lets the time of some frames pass and adds what is heard of it to `sum`, left and right in turn.
   * @param first number of the first frame, in frames since the machine was made
   * @returns whether anything was playing, be it silence
   */
  mix(first: number, frames: number, sum: Float64Array): boolean;
}
