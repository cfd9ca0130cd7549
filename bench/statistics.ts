// SPDX-License-Identifier: Apache-2.0
// The few numbers that a comparison of machines needs.

/** What repeated measurements of one thing came to. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

/** The middle of the samples; the mean of the two middle ones if there is an even number. NaN without samples. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median and range of the samples; null without samples. */
export function spread(samples: readonly number[]): Spread | null {
  if (samples.length === 0) return null;
  return { median: median(samples), min: Math.min(...samples), max: Math.max(...samples), count: samples.length };
}

/** The n-th root of the product of n positive numbers: the mean of ratios. NaN without numbers. */
export function geometricMean(ratios: readonly number[]): number {
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
}

/**
 * Peer time over subject time, round by round, so that a disturbance which hits one round hits both sides of its
 * ratio. Above 1 the subject is faster. A round that one side lacks is left out.
 */
export function pairedRatios(
  subject: ReadonlyMap<number, number>,
  peer: ReadonlyMap<number, number>,
): readonly number[] {
  const ratios: number[] = [];
  for (const [round, time] of subject) {
    const other = peer.get(round);
    if (other !== undefined) ratios.push(other / time);
  }
  return ratios;
}
