// SPDX-License-Identifier: Apache-2.0
import type { EventLoop } from "@isola/ports";

const MS = 1e6;
const MAX_DELAY_MS = 0x7fff_ffff;

/** What an event loop needs of its surroundings; a worker's global scope has all of it. */
export interface LoopHost {
  /** Milliseconds. */
  now(): number;
  /** Calls `task` after the messages that have arrived by now. */
  post(task: () => void): void;
  setTimeout(task: () => void, delay: number): number;
  clearTimeout(timer: number): void;
}

/** The host of the thread that this is called on. Tasks are messages to itself, which no browser delays. */
export function threadLoopHost(): LoopHost {
  const { port1, port2 } = new MessageChannel();
  const tasks: (() => void)[] = [];
  port1.addEventListener("message", () => tasks.shift()?.());
  port1.start();
  return {
    now: () => performance.now(),
    post(task) {
      tasks.push(task);
      port2.postMessage(null);
    },
    setTimeout: (task, delay) => setTimeout(task, delay) as unknown as number,
    clearTimeout: (timer) => clearTimeout(timer),
  };
}

/**
 * A browser's event loop. Browsers make timers wait for 4 ms that are set by timers that timers have set (HTML,
 * "timer initialization steps"); so what a timer calls goes through a message first, and is no timer's child. What is
 * due sooner than timers can count is polled for, as in Node.
 *
 * @param congestion a promise while output that the machine has made cannot be taken; the machine then waits for it
 */
export function browserEventLoop(host: LoopHost, congestion: () => Promise<void> | null = () => null): EventLoop {
  return {
    soon(task) {
      const wait = congestion();
      if (wait === null) host.post(task);
      else void wait.then(task);
    },
    later(delay, task) {
      const due = host.now() + Math.max(0, delay) / MS;
      let cancelled = false;
      let timer: number | null = null;
      const wait = (): void => {
        if (cancelled) return;
        const left = due - host.now();
        if (left <= 0) return task();
        if (left < 1) return host.post(wait);
        timer = host.setTimeout(() => host.post(wait), Math.min(Math.floor(left), MAX_DELAY_MS));
      };
      if (delay >= MS) wait();
      else host.post(wait);
      return () => {
        cancelled = true;
        if (timer !== null) host.clearTimeout(timer);
      };
    },
  };
}
