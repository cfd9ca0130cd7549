// SPDX-License-Identifier: Apache-2.0
import type { EventLoop } from "@isola/ports";

const MS = 1e6;
/** A turn of the loop takes a microsecond or two. */
const SHARE = MS;

/**
 * Node's event loop. `setTimeout` counts whole milliseconds and may be late; what is due sooner is polled for, so that
 * a guest's short timers stay short at the price of a busy thread for less than a millisecond.
 *
 * @param congestion a promise while output that the machine has made cannot be taken; the machine then waits for it
 */
export function nodeEventLoop(congestion: () => Promise<void> | null = () => null): EventLoop {
  return {
    share: SHARE,
    soon(task) {
      const wait = congestion();
      if (wait === null) setImmediate(task);
      else void wait.then(task);
    },
    later(delay, task) {
      if (delay >= MS) {
        const timer = setTimeout(task, Math.min(Math.floor(delay / MS), 0x7fff_ffff));
        return () => clearTimeout(timer);
      }
      const due = process.hrtime.bigint() + BigInt(Math.max(0, Math.floor(delay)));
      let next = setImmediate(poll);
      function poll(): void {
        if (process.hrtime.bigint() >= due) task();
        else next = setImmediate(poll);
      }
      return () => clearImmediate(next);
    },
  };
}
