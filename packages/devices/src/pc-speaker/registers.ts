// SPDX-License-Identifier: Apache-2.0
/** Swing of the wave from silence: a quarter of what a sample can hold. */
export const AMPLITUDE = 8192;
/** After this time without a change a steady level is not played any more. */
export const STEADY_NS = 50_000_000;
