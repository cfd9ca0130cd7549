// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { geometricMean, median, pairedRatios, spread } from "./statistics.js";

describe("median", () => {
  test("the middle one of an odd number, whatever the order", () => expect(median([9, 1, 5])).toBe(5));
  test("the mean of the middle two of an even number", () => expect(median([4, 1, 100, 2])).toBe(3));
  test("sorts as numbers, not as text", () => expect(median([10, 9, 100])).toBe(10));
  test("of one sample", () => expect(median([7])).toBe(7));
  test("of nothing", () => expect(median([])).toBeNaN());
  test("leaves its input alone", () => {
    const samples = [3, 1, 2];
    median(samples);
    expect(samples).toEqual([3, 1, 2]);
  });
});

describe("spread", () => {
  test("median and range", () => expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, count: 3 }));
  test("of nothing", () => expect(spread([])).toBeNull());
});

describe("geometricMean", () => {
  test("twice as fast and half as fast cancel out", () => expect(geometricMean([2, 0.5])).toBeCloseTo(1, 12));
  test("of powers", () => expect(geometricMean([1, 10, 100])).toBeCloseTo(10, 12));
  test("a product that would overflow", () => expect(geometricMean(Array(400).fill(1e10))).toBeCloseTo(1e10, -1));
  test("of nothing", () => expect(geometricMean([])).toBeNaN());
});

describe("pairedRatios", () => {
  test("peer over subject, round by round", () => {
    const subject = new Map([
      [0, 2],
      [1, 4],
    ]);
    const peer = new Map([
      [1, 2],
      [0, 6],
    ]);
    expect(pairedRatios(subject, peer)).toEqual([3, 0.5]);
  });
  test("rounds that one side lacks are left out", () => {
    expect(
      pairedRatios(
        new Map([
          [0, 1],
          [2, 1],
        ]),
        new Map([
          [1, 1],
          [2, 5],
        ]),
      ),
    ).toEqual([5]);
  });
});
