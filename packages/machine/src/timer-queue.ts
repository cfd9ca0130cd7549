// SPDX-License-Identifier: Apache-2.0
import type { Timer, Timers } from "@isola/ports";

/** A timer that is not armed. */
const IDLE = Number.POSITIVE_INFINITY;

interface Entry {
  deadline: number;
  readonly fire: (deadline: number) => void;
}

/**
 * The timers of one machine. A machine has a few dozen, so a scan for the next one beats a heap; the result is kept
 * until a timer changes. Timers with equal deadlines fire in the order of their creation, so a run can be repeated.
 */
export class TimerQueue implements Timers {
  /** Called when a timer is armed for a time before every other one. */
  onEarlier: (deadline: number) => void = () => {};
  private readonly entries: Entry[] = [];
  private next = IDLE;
  private stale = false;
  private firedTotal = 0;

  /** @param clock the machine's time in ns */
  constructor(private readonly clock: () => number) {}

  now(): number {
    return this.clock();
  }

  create(fire: (deadline: number) => void): Timer {
    const entry: Entry = { deadline: IDLE, fire };
    this.entries.push(entry);
    return {
      set: (deadline) => {
        // NaN would never fire nor compare; a device that computes one gets its callback at the next chance.
        this.move(entry, deadline >= 0 ? deadline : 0);
      },
      cancel: () => this.move(entry, IDLE),
    };
  }

  /** Timers that fired since the queue was made. */
  get fired(): number {
    return this.firedTotal;
  }

  /** Deadline of the timer that fires next, or Infinity. */
  nextDeadline(): number {
    if (this.stale) {
      this.stale = false;
      this.next = IDLE;
      for (const entry of this.entries) if (entry.deadline < this.next) this.next = entry.deadline;
    }
    return this.next;
  }

  /**
   * Fires all timers whose deadline is not after `now`, earliest first. A callback may arm timers; one that it arms for
   * a time that has passed waits for the next call, so that no device can keep the machine here.
   */
  fireDue(now: number): void {
    if (this.nextDeadline() > now) return;
    const due = this.entries.filter((entry) => entry.deadline <= now).map((entry) => ({ entry, at: entry.deadline }));
    due.sort((a, b) => a.at - b.at);
    for (const { entry, at } of due) {
      // An earlier callback may have cancelled or moved this one.
      if (entry.deadline !== at) continue;
      this.move(entry, IDLE);
      this.firedTotal++;
      entry.fire(at);
    }
  }

  private move(entry: Entry, deadline: number): void {
    const before = entry.deadline;
    if (before === deadline) return;
    const first = this.nextDeadline();
    entry.deadline = deadline;
    if (deadline < first) {
      this.next = deadline;
      this.onEarlier(deadline);
    } else if (before === first) {
      this.stale = true;
    }
  }
}
