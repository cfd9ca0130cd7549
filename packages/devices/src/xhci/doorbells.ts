// SPDX-License-Identifier: Apache-2.0
import type { Timer, Timers } from "@isola/ports";
import { BUDGET, ENDPOINTS, REST_DELAY } from "./registers.js";
import type { Budget } from "./transfers.js";

/** Doorbell of the command ring among those that wait. */
export const COMMANDS = 0;

/** The number under which an endpoint waits. */
export function doorbellOf(slot: number, index: number): number {
  return slot * ENDPOINTS + index;
}

export interface DoorbellPorts {
  readonly timers: Timers;
  /** Whether the controller works and its events find room. */
  canWork(): boolean;
  /** Works on a ring; true if there may be more to do. */
  work(doorbell: number, budget: Budget): boolean;
}

/** Rings that have been announced and not been worked off, which are served in turn. */
export class Doorbells {
  private readonly waiting = new Set<number>();
  private readonly restTimer: Timer;
  private restDeadline: number | null = null;
  private serving = false;

  constructor(private readonly ports: DoorbellPorts) {
    this.restTimer = ports.timers.create(() => {
      this.restDeadline = null;
      this.serve();
    });
  }

  /** A ring may have something for the controller. */
  ring(doorbell: number): void {
    this.waiting.add(doorbell);
    this.serve();
  }

  /** A ring is not to be looked at any more. */
  forget(doorbell: number): void {
    this.waiting.delete(doorbell);
  }

  reset(): void {
    this.waiting.clear();
    this.rest(null);
  }

  save(): { waiting: number[]; restDeadline: number | null } {
    return { waiting: [...this.waiting], restDeadline: this.restDeadline };
  }

  restore(waiting: readonly number[], restDeadline: number | null): void {
    this.waiting.clear();
    for (const doorbell of waiting) this.waiting.add(doorbell);
    this.rest(restDeadline);
  }

  /**
   * Works on everything that waits for as long as the budget lasts; the rest goes on when the guest has had a moment.
   * Calls from within, by devices that have something to say, only add to what waits.
   */
  serve(): void {
    if (this.serving) return;
    this.serving = true;
    const budget: Budget = { left: BUDGET };
    while (this.waiting.size > 0 && this.ports.canWork()) {
      const [doorbell = COMMANDS] = this.waiting;
      if (budget.left <= 0) {
        this.rest(this.ports.timers.now() + REST_DELAY);
        break;
      }
      this.waiting.delete(doorbell);
      // What has more to do goes to the end of the queue.
      if (this.ports.work(doorbell, budget)) this.waiting.add(doorbell);
    }
    this.serving = false;
  }

  private rest(deadline: number | null): void {
    this.restDeadline = deadline;
    if (deadline === null) this.restTimer.cancel();
    else this.restTimer.set(deadline);
  }
}
