// SPDX-License-Identifier: Apache-2.0
import type { Clock } from "@isola/ports";

/** The host's monotonic clock, counted from when this was called, and its wall clock. */
export function monotonicClock(): Clock {
  const start = process.hrtime.bigint();
  return {
    now: () => Number(process.hrtime.bigint() - start),
    wallTimeMs: () => Date.now(),
  };
}
