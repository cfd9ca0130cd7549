// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { WorkUnderWay } from "./work-under-way.js";

/** Lets all promises that are settled run their followers. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** A device's work, and which of those who paused it have been woken, in order. */
function watched() {
  const work = new WorkUnderWay();
  const woken: string[] = [];
  const pause = (name: string): void => void work.pause().then(() => woken.push(name));
  return { work, woken, pause };
}

describe("work under way", () => {
  it("counts what began and has not ended", () => {
    const work = new WorkUnderWay();
    expect(work.count).toBe(0);
    work.began();
    work.began();
    expect(work.count).toBe(2);
    work.ended();
    expect(work.count).toBe(1);
    work.ended();
    expect(work.count).toBe(0);
  });

  it("is paused from pause to resume, whatever ends meanwhile", () => {
    const { work, pause } = watched();
    expect(work.paused).toBe(false);
    work.began();
    pause("a");
    expect(work.paused).toBe(true);
    work.ended();
    expect(work.paused).toBe(true);
    pause("b");
    work.resume();
    expect(work.paused).toBe(false);
    work.resume();
    expect(work.paused).toBe(false);
  });

  it("rests at once if nothing is under way", async () => {
    const { work, woken, pause } = watched();
    pause("a");
    await settle();
    expect(woken).toEqual(["a"]);
    work.began();
    work.ended();
    pause("b");
    await settle();
    expect(woken).toEqual(["a", "b"]);
  });

  it("wakes everybody when the last operation ends, and each once", async () => {
    const { work, woken, pause } = watched();
    work.began();
    pause("a");
    work.began();
    pause("b");
    work.ended();
    await settle();
    expect(woken).toEqual([]);
    work.ended();
    await settle();
    expect(woken).toEqual(["a", "b"]);
    work.began();
    work.ended();
    await settle();
    expect(woken).toEqual(["a", "b"]);
  });

  it("wakes those who wait though work was resumed", async () => {
    const { work, woken, pause } = watched();
    work.began();
    pause("a");
    work.resume();
    work.began();
    work.ended();
    await settle();
    expect(woken).toEqual([]);
    work.ended();
    await settle();
    expect(woken).toEqual(["a"]);
  });

  it("takes an end without a beginning for a bug", () => {
    const work = new WorkUnderWay();
    expect(() => work.ended()).toThrow("an operation ends once");
    work.began();
    work.ended();
    expect(() => work.ended()).toThrow("an operation ends once");
    expect(work.count).toBe(0);
  });
});
