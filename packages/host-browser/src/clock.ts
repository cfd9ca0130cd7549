// SPDX-License-Identifier: Apache-2.0
import type { Clock } from "@isola/ports";

/**
 * The browser's monotonic clock, counted from when this was called, and its wall clock. Browsers round it to 5
 * microseconds on pages that are isolated from other origins, and to 100 on others.
 */
export function monotonicClock(): Clock {
  const start = performance.now();
  return {
    now: () => Math.floor((performance.now() - start) * 1e6),
    wallTimeMs: () => Date.now(),
  };
}
