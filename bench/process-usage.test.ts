// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { peakMemory, processorTime } from "./process-usage.js";

describe.runIf(process.platform === "linux")("usage of a process", () => {
  test("peak memory of this one", () => {
    // What getrusage calls the maximum also counts the program that started this one, so it only bounds from above.
    const own = process.resourceUsage().maxRSS / 1024;
    const now = process.memoryUsage().rss / 2 ** 20;
    expect(peakMemory(process.pid)).toBeGreaterThan(now * 0.8);
    expect(peakMemory(process.pid)).toBeLessThan(own * 1.2);
  });
  test("processor time of this one", () => {
    const { userCPUTime, systemCPUTime } = process.resourceUsage();
    const own = (userCPUTime + systemCPUTime) / 1000;
    expect(Math.abs((processorTime(process.pid) ?? 0) - own)).toBeLessThan(own * 0.2 + 100);
  });
});

test("a process that is not there", () => {
  expect(peakMemory(0)).toBeNull();
  expect(processorTime(0)).toBeNull();
});
