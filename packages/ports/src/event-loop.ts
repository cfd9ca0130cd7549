// SPDX-License-Identifier: Apache-2.0

/** How a machine shares its thread with its host: it runs a while, gives the thread back, and asks to be called again. */
export interface EventLoop {
  /** Calls `task` once, after the host has looked at its own events. */
  soon(task: () => void): void;
  /**
   * Calls `task` once, not before `delay` nanoseconds have passed.
   * @returns a function that cancels the call; harmless afterwards
   */
  later(delay: number, task: () => void): () => void;
}
