// SPDX-License-Identifier: Apache-2.0
/** Sequence numbers of TCP (RFC 9293, 3.4): 32 bits, compared by the sign of their distance. */

export function add(seq: number, count: number): number {
  return (seq + count) >>> 0;
}

/** Distance from `from` to `to`, -2**31 to 2**31 - 1. */
export function distance(from: number, to: number): number {
  return (to - from) | 0;
}
