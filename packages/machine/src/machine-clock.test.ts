// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { VirtualClock, WallClock } from "./machine-clock.js";
import { seededEntropy } from "./seeded-entropy.js";

describe("clocks", () => {
  it("the wall clock stands still while it is paused, and starts so", () => {
    let now = 1000;
    const clock = new WallClock({ now: () => now, wallTimeMs: () => 42 });
    expect(clock.now()).toBe(0);
    clock.resume();
    now = 1500;
    expect(clock.now()).toBe(500);
    clock.pause();
    clock.pause();
    now = 9000;
    expect(clock.now()).toBe(500);
    clock.resume();
    clock.resume();
    now = 9001;
    expect(clock.now()).toBe(501);
    expect(clock.wallTimeMs()).toBe(42);
  });

  it("the virtual clock counts instructions and never goes back", () => {
    const clock = new VirtualClock(1_000_000);
    clock.retire(3_000_000);
    expect(clock.now()).toBe(3_000_000);
    expect(clock.wallTimeMs()).toBe(1_000_003);
    clock.skipTo(5_000_000);
    clock.skipTo(4_000_000);
    expect(clock.now()).toBe(5_000_000);
    clock.inSlice = () => 7;
    expect(clock.now()).toBe(5_000_007);
  });
});

describe("seeded entropy", () => {
  it("repeats itself for a seed, and only for that seed", () => {
    const draw = (seed: number, count: number) => {
      const bytes = new Uint8Array(count);
      seededEntropy(seed).fill(bytes);
      return [...bytes];
    };
    expect(draw(1, 64)).toEqual(draw(1, 64));
    expect(draw(1, 64)).not.toEqual(draw(2, 64));
    const counts = new Uint32Array(256);
    for (const byte of draw(3, 65_536)) counts[byte]++;
    expect(Math.min(...counts)).toBeGreaterThan(150);
    expect(Math.max(...counts)).toBeLessThan(370);
  });
});
