// SPDX-License-Identifier: Apache-2.0

/** Time as a machine sees it. Injected, so that a run can be driven by a virtual clock and be repeated. */
export interface Clock {
  /** Nanoseconds since the machine was created; never goes backwards. */
  now(): number;
  /** Wall-clock time in milliseconds since 1970-01-01 UTC, for the RTC. */
  wallTimeMs(): number;
}

/** One armed or idle timer of a device. */
export interface Timer {
  /** Arms the timer for `deadline` (ns on the machine's clock); a deadline in the past fires at the next chance. */
  set(deadline: number): void;
  /** Disarms the timer. */
  cancel(): void;
}

/** Where devices get timers from. Callbacks run between guest instructions, never re-entrantly. */
export interface Timers {
  /** Nanoseconds on the machine's clock. */
  now(): number;
  /** Makes an idle timer; `fire` is called with the deadline that was reached. */
  create(fire: (deadline: number) => void): Timer;
}
