// SPDX-License-Identifier: Apache-2.0
import type { Clock, Timer, Timers } from "@isola/ports";

class FakeTimer implements Timer {
  deadline = Infinity;

  constructor(readonly fire: (deadline: number) => void) {}

  set(deadline: number): void {
    this.deadline = deadline;
  }

  cancel(): void {
    this.deadline = Infinity;
  }
}

/** A clock that stands still until a test moves it; timers fire in the order of their deadlines. */
export class FakeClock implements Clock, Timers {
  private time = 0;
  private readonly timers: FakeTimer[] = [];
  /** How many callbacks have run; a test can bound it. */
  fired = 0;

  constructor(private readonly wallBaseMs = Date.UTC(2024, 1, 29, 12, 34, 56)) {}

  now(): number {
    return this.time;
  }

  wallTimeMs(): number {
    return this.wallBaseMs + this.time / 1e6;
  }

  create(fire: (deadline: number) => void): Timer {
    const timer = new FakeTimer(fire);
    this.timers.push(timer);
    return timer;
  }

  /** Number of timers that are armed. */
  armed(): number {
    return this.timers.filter((timer) => timer.deadline !== Infinity).length;
  }

  /** Moves time forward by `ns`, running every timer that comes due on the way. */
  advance(ns: number): void {
    const end = this.time + ns;
    for (;;) {
      let next: FakeTimer | null = null;
      for (const timer of this.timers) if (next === null || timer.deadline < next.deadline) next = timer;
      if (next === null || next.deadline > end) break;
      const deadline = next.deadline;
      this.time = Math.max(this.time, deadline);
      next.deadline = Infinity;
      this.fired++;
      next.fire(deadline);
    }
    this.time = end;
  }
}
