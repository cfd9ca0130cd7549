// SPDX-License-Identifier: Apache-2.0

/** What is said of an event beside its name and time. */
export type TraceArgs = { readonly [name: string]: number | string };

/**
 * Takes what happens in a machine, as it happens. Times and durations are nanoseconds on the host's clock. Never throws
 * and never blocks for long; a sink that is full drops events.
 */
export interface TraceSink {
  /** Makes a row called `name` in the section `group`; the result names it from then on. */
  track(group: string, name: string): number;
  /** Something that lasted. Those of one track do not overlap, but may come out of order. */
  slice(track: number, name: string, start: number, duration: number, args?: TraceArgs): void;
  /** Something at one moment. */
  instant(track: number, name: string, time: number, args?: TraceArgs): void;
  /** Values of the graph `name` from `time` on. */
  counter(name: string, time: number, values: { readonly [series: string]: number }): void;
}
