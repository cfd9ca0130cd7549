// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { TimerQueue } from "./timer-queue.js";

function queue() {
  const fired: string[] = [];
  const timers = new TimerQueue(() => 0);
  const make = (name: string) => timers.create((deadline) => fired.push(`${name}@${deadline}`));
  return { timers, fired, make };
}

describe("TimerQueue", () => {
  it("fires what is due, earliest first, equal deadlines in order of creation", () => {
    const { timers, fired, make } = queue();
    const [a, b, c, d] = ["a", "b", "c", "d"].map(make);
    d?.set(10);
    b?.set(20);
    a?.set(20);
    c?.set(30);
    expect(timers.nextDeadline()).toBe(10);
    timers.fireDue(25);
    expect(fired).toEqual(["d@10", "a@20", "b@20"]);
    expect(timers.nextDeadline()).toBe(30);
    timers.fireDue(25);
    timers.fireDue(30);
    timers.fireDue(99);
    expect(fired).toHaveLength(4);
    expect(timers.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  it("forgets cancelled timers, also those that a callback cancels or moves", () => {
    const timers = new TimerQueue(() => 0);
    const fired: number[] = [];
    const second = timers.create(() => fired.push(2));
    const third = timers.create(() => fired.push(3));
    const first = timers.create(() => {
      second.cancel();
      third.set(40);
    });
    first.set(1);
    second.set(2);
    third.set(3);
    timers.fireDue(10);
    expect(fired).toEqual([]);
    timers.fireDue(40);
    expect(fired).toEqual([3]);
  });

  it("never loops for a callback that arms itself in the past", () => {
    const timers = new TimerQueue(() => 0);
    let count = 0;
    const timer = timers.create(() => {
      count++;
      timer.set(0);
    });
    timer.set(Number.NaN);
    timers.fireDue(100);
    expect(count).toBe(1);
    expect(timers.nextDeadline()).toBe(0);
    timers.fireDue(100);
    expect(count).toBe(2);
  });

  it("tells when a timer becomes the first", () => {
    const { timers, make } = queue();
    const seen: number[] = [];
    timers.onEarlier = (deadline) => seen.push(deadline);
    const a = make("a");
    const b = make("b");
    a.set(50);
    b.set(60);
    b.set(40);
    b.cancel();
    expect(timers.nextDeadline()).toBe(50);
    b.set(45);
    expect(seen).toEqual([50, 40, 45]);
  });
});
