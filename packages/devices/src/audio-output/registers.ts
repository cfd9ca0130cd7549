// SPDX-License-Identifier: Apache-2.0
/** Format of the sum of all sources. */
export const OUTPUT_RATE = 48_000;
export const OUTPUT_CHANNELS = 2;
/** Frames that are mixed at once, and at most handed over together: 10 ms. */
export const BLOCK_FRAMES = 480;
/** Least frames between two calls of the timer, so that no guest can keep the host in them. */
export const MIN_FRAMES = 12;
