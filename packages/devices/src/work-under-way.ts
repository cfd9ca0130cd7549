// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";

/**
 * Counts what a device has under way outside the machine, such as requests that a store has not answered, and tells those
 * who want the device to rest when nothing is left. It is for the device to start nothing new while it is paused.
 */
export class WorkUnderWay {
  private begun = 0;
  private resting = false;
  private waiters: (() => void)[] = [];

  /** Operations that began and have not ended. */
  get count(): number {
    return this.begun;
  }

  /** Whether the device has been told to rest. */
  get paused(): boolean {
    return this.resting;
  }

  /** An operation begins; `ended` must follow once. */
  began(): void {
    this.begun++;
  }

  /** An operation is over. The last one wakes all who wait in `pause`, also if work was resumed meanwhile. */
  ended(): void {
    assert(this.begun > 0, "an operation ends once, after it began");
    this.begun--;
    if (this.begun > 0) return;
    const { waiters } = this;
    this.waiters = [];
    for (const wake of waiters) wake();
  }

  /** Resolves when nothing is under way, which may be at once. Pausing twice is pausing once. */
  pause(): Promise<void> {
    this.resting = true;
    if (this.begun === 0) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  /** Work may begin again. */
  resume(): void {
    this.resting = false;
  }
}
