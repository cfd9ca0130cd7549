// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { PlayingTimes } from "./playing-times.js";

describe("PlayingTimes", () => {
  it("plays pieces one after the other, a little late", () => {
    const times = new PlayingTimes();
    expect(times.take(100, 0.01, 5)).toBeCloseTo(5.08, 9);
    expect(times.take(100.01, 0.01, 5.013)).toBeCloseTo(5.09, 9);
  });

  it("joins pieces that rounding has set apart", () => {
    const times = new PlayingTimes();
    const first = times.take(0, 0.01, 0) ?? 0;
    expect(times.take(0.0101, 0.01, 0.01)).toBe(first + 0.01);
    expect(times.take(0.0199, 0.01, 0.02)).toBe(first + 0.01 + 0.01);
  });

  it("keeps silence between sounds", () => {
    const times = new PlayingTimes();
    const first = times.take(10, 0.01, 0) ?? 0;
    expect((times.take(11, 0.01, 1) ?? 0) - first).toBeCloseTo(1, 9);
  });

  it("begins anew when a piece is too late", () => {
    const times = new PlayingTimes();
    times.take(0, 0.01, 0);
    expect(times.take(0.01, 0.01, 3)).toBeCloseTo(3.08, 9);
    expect(times.take(0.02, 0.01, 3.01)).toBeCloseTo(3.09, 9);
  });

  it("drops what does not fit while the loudspeaker's clock stands still, and goes on when it runs again", () => {
    const times = new PlayingTimes();
    let played = 0;
    for (let i = 0; i < 1000; i++) if (times.take(i * 0.01, 0.01, 2) !== null) played++;
    expect(played).toBe(43);
    expect(times.take(10, 0.01, 2.6)).toBeCloseTo(2.68, 9);
  });
});
