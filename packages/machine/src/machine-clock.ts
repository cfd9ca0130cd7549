// SPDX-License-Identifier: Apache-2.0
import type { Clock } from "@isola/ports";

/** Cycles of the time-stamp counter in a microsecond: it ticks with the nanoseconds of the machine's clock. */
export const TSC_HZ = 1_000_000_000;

/** What time is to a machine. */
export interface MachineClock extends Clock {
  /** Whether time stands still while no instruction retires. */
  readonly virtual: boolean;
  /** Stops the clock; the guest does not see the time until `resume`. */
  pause(): void;
  resume(): void;
  /** Tells a virtual clock that `instructions` have retired. */
  retire(instructions: number): void;
  /** Moves a virtual clock on to `deadline`, because every vCPU waits for it. */
  skipTo(deadline: number): void;
}

/** Follows the host's clock, except while the machine is paused. Starts paused. */
export class WallClock implements MachineClock {
  readonly virtual = false;
  private offset = 0;
  private stoppedAt: number | null = 0;

  constructor(private readonly host: Clock) {}

  now(): number {
    return this.stoppedAt ?? this.host.now() - this.offset;
  }

  wallTimeMs(): number {
    return this.host.wallTimeMs();
  }

  pause(): void {
    this.stoppedAt = this.now();
  }

  resume(): void {
    if (this.stoppedAt === null) return;
    this.offset = this.host.now() - this.stoppedAt;
    this.stoppedAt = null;
  }

  retire(): void {}

  skipTo(): void {}
}

/** Nanoseconds that one instruction takes on a virtual clock. */
const NS_PER_INSTRUCTION = 1;

/**
 * Counts retired instructions as nanoseconds, so that the same machine with the same input runs the same way every
 * time. While all vCPUs wait, it jumps to the next timer.
 */
export class VirtualClock implements MachineClock {
  readonly virtual = true;
  /** Instructions of the slice under way, which {@link retire} has not counted yet. */
  inSlice: () => number = () => 0;
  private time = 0;

  /** @param epochMs wall-clock time at which the machine starts, in ms since 1970 */
  constructor(private readonly epochMs: number) {}

  now(): number {
    return this.time + this.inSlice() * NS_PER_INSTRUCTION;
  }

  wallTimeMs(): number {
    return this.epochMs + Math.floor(this.now() / 1e6);
  }

  pause(): void {}

  resume(): void {}

  retire(instructions: number): void {
    this.time += instructions * NS_PER_INSTRUCTION;
  }

  skipTo(deadline: number): void {
    this.time = Math.max(this.time, deadline);
  }
}
