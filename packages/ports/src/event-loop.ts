// SPDX-License-Identifier: Apache-2.0

/** How a machine shares its thread with its host: it runs a while, gives the thread back, and asks to be called again. */
export interface EventLoop {
  /**
   * Time in ns that a machine takes before its host looks at its own events, if the host has a wish: what comes from
   * outside waits for half of it on average, and every turn of the host's loop costs something.
   */
  readonly share?: number;
  /** Calls `task` once, after the host has looked at its own events. */
  soon(task: () => void): void;
  /**
   * Calls `task` once, not before `delay` nanoseconds have passed.
   * @returns a function that cancels the call; harmless afterwards
   */
  later(delay: number, task: () => void): () => void;
}
