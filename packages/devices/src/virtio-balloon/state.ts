// SPDX-License-Identifier: Apache-2.0
import type { STATISTICS } from "./registers.js";

/** What a guest says of its memory: bytes, or counts of faults; only what it does say. */
export type GuestMemory = { [K in (typeof STATISTICS)[number]]?: number };

export interface VirtioBalloonState {
  readonly version: 1;
  /** Pages that the operator wants, which a reset does not change, and pages that the driver says it has given. */
  wanted: number;
  actual: number;
  statistics: GuestMemory;
  /** Head of the driver's buffer for statistics, kept until they are wanted; -1 for none. */
  statisticsBuffer: number;
  /** Bytes that were given back to the host since the start. */
  released: number;
}

export function virtioBalloonResetState(wanted: number): VirtioBalloonState {
  return { version: 1, wanted, actual: 0, statistics: {}, statisticsBuffer: -1, released: 0 };
}
