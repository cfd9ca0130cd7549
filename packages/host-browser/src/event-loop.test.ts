// SPDX-License-Identifier: Apache-2.0
import { expect, it, vi } from "vitest";
import { browserEventLoop, threadLoopHost } from "./event-loop.js";

/** A thread whose time and tasks the test plays. */
function fakeHost() {
  const posted: (() => void)[] = [];
  const timers = new Map<number, { task: () => void; delay: number }>();
  let now = 0;
  let next = 1;
  return {
    now: () => now,
    post: (task: () => void) => void posted.push(task),
    setTimeout: (task: () => void, delay: number) => {
      timers.set(next, { task, delay });
      return next++;
    },
    clearTimeout: (timer: number) => void timers.delete(timer),
    timers,
    posted,
    /** Runs what has been posted, at a later time. */
    turn(ms: number) {
      now += ms;
      for (const task of posted.splice(0)) task();
    },
    /** Fires the timers. */
    fire(ms: number) {
      now += ms;
      for (const [id, { task }] of [...timers]) {
        timers.delete(id);
        task();
      }
    },
  };
}

it("runs tasks after messages, and waits while output cannot be taken", async () => {
  const host = fakeHost();
  let wait: Promise<void> | null = null;
  const loop = browserEventLoop(host, () => wait);
  const task = vi.fn();
  loop.soon(task);
  expect(task).not.toHaveBeenCalled();
  host.turn(0);
  expect(task).toHaveBeenCalledOnce();
  let release = (): void => {};
  wait = new Promise((resolve) => (release = resolve));
  loop.soon(task);
  host.turn(0);
  expect(task).toHaveBeenCalledOnce();
  release();
  await wait;
  expect(task).toHaveBeenCalledTimes(2);
});

it("sleeps whole milliseconds by a timer, out of which a message leads, and polls for the rest", () => {
  const host = fakeHost();
  const task = vi.fn();
  browserEventLoop(host).later(2.5e6, task);
  expect([...host.timers.values()].map(({ delay }) => delay)).toEqual([2]);
  host.fire(2);
  expect(task).not.toHaveBeenCalled();
  host.turn(0.1);
  host.turn(0.3);
  expect(task).not.toHaveBeenCalled();
  host.turn(0.2);
  expect(task).toHaveBeenCalledOnce();
  expect(host.posted).toEqual([]);
});

it("never calls at once, and not after it was cancelled", () => {
  const host = fakeHost();
  const loop = browserEventLoop(host);
  const [soon, never, late] = [vi.fn(), vi.fn(), vi.fn()];
  loop.later(0, soon);
  loop.later(500, never)();
  const cancel = loop.later(1e10, late);
  expect(soon).not.toHaveBeenCalled();
  host.turn(1);
  cancel();
  cancel();
  expect(host.timers.size).toBe(0);
  expect([soon.mock.calls.length, never.mock.calls.length, late.mock.calls.length]).toEqual([1, 0, 0]);
});

it("posts to a real thread in order", async () => {
  const host = threadLoopHost();
  const order: number[] = [];
  await new Promise<void>((resolve) => {
    host.post(() => void order.push(1));
    host.post(() => void order.push(2));
    host.post(resolve);
  });
  expect(order).toEqual([1, 2]);
});
