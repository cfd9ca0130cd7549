// SPDX-License-Identifier: Apache-2.0
import type { CpuStatistics } from "@isola/isa-x86";
import type { TraceArgs, TraceSink } from "@isola/ports";
import { describe, expect, it } from "vitest";
import { VcpuTrack } from "./vcpu-track.js";

function setUp() {
  const shown: [string, number, number, TraceArgs][] = [];
  const sink: TraceSink = {
    track: () => 0,
    slice: (_track, name, start, duration, args = {}) => shown.push([name, start, start + duration, args]),
    instant: () => {},
    counter: () => {},
  };
  const statistics = { exitCount: 0, blocksDecoded: 0, faults: 0, word: () => statistics.faults };
  const track = new VcpuTrack(sink, 0, statistics as unknown as CpuStatistics);
  const slice = (start: number, end: number, exit: "budget" | "halt" = "budget") => {
    track.begin(start);
    track.end(end, 100, exit);
  };
  return { shown, statistics, track, slice };
}

describe("VcpuTrack", () => {
  it("shows slices that follow each other as one, up to a millisecond", () => {
    const { shown, track, slice } = setUp();
    for (let i = 0; i < 30; i++) slice(i * 100_000, i * 100_000 + 95_000);
    track.close(3e6);
    expect(shown.length).toBeGreaterThanOrEqual(3);
    expect(shown.length).toBeLessThanOrEqual(4);
    expect(shown.reduce((sum, [, , , args]) => sum + Number(args["instructions"]), 0)).toBe(3000);
    expect(shown.reduce((sum, [, , , args]) => sum + Number(args["slices"]), 0)).toBe(30);
    expect(shown[0]?.slice(1, 3)).toEqual([0, 1_095_000]);
  });

  it("begins anew after a pause", () => {
    const { shown, track, slice } = setUp();
    slice(0, 50_000);
    slice(100_000, 150_000);
    track.close(200_000);
    expect(shown.map(([name, start, end]) => [name, start, end])).toEqual([
      ["guest", 0, 50_000],
      ["guest", 100_000, 150_000],
    ]);
  });

  it("ends a slice with a sleep, which lasts until the vCPU is woken or the machine ends", () => {
    const { shown, statistics, track, slice } = setUp();
    slice(0, 10);
    statistics.exitCount = 4;
    statistics.faults = 2;
    slice(12, 20, "halt");
    track.woken(50);
    slice(51, 60, "halt");
    track.close(100);
    expect(shown.map(([name, start, end]) => [name, start, end])).toEqual([
      ["guest", 0, 20],
      ["HLT", 20, 50],
      ["guest", 51, 60],
      ["HLT", 60, 100],
    ]);
    expect(shown[0]?.[3]).toEqual({
      instructions: 200,
      slices: 2,
      end: "halt",
      exits: 4,
      blocksDecoded: 0,
      pageFaults: 2,
    });
  });
});
