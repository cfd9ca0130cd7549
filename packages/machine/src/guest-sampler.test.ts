// SPDX-License-Identifier: Apache-2.0
import type { GuestMemory, GuestSample, SampleSink } from "@isola/ports";
import { describe, expect, it } from "vitest";
import { GuestSampler } from "./guest-sampler.js";

const PERIOD = 1_000_000;
const MEMORY: GuestMemory = { translate: () => -1, physical: () => null };

function setUp(repeatable: boolean, vcpus = 1) {
  let now = 0;
  const samples: GuestSample[] = [];
  let outside = 0;
  const sink: SampleSink = {
    period: PERIOD,
    sample: (sample) => samples.push(sample),
    outside: (time) => (outside += time),
    settle: () => {},
  };
  const sampled = Array.from({ length: vcpus }, (_, vcpu) => ({
    sample: (time: number) => ({ vcpu, time }) as GuestSample,
    memory: () => MEMORY,
  }));
  const sampler = new GuestSampler(sink, { now: () => now, wallTimeMs: () => 0 }, sampled, repeatable);
  const slice = (vcpu: number, wanted: number, time: (instructions: number) => number): number => {
    const instructions = Math.min(wanted, sampler.sliceBegins(vcpu));
    now += time(instructions);
    sampler.sliceEnds(vcpu, instructions);
    return instructions;
  };
  return { sampler, samples, slice, outside: () => outside, pass: (time: number) => (now += time) };
}

describe("GuestSampler", () => {
  it("takes a sample a period, whatever the speed, and gives all time to samples", () => {
    const { samples, slice } = setUp(false);
    // Two instructions a nanosecond.
    for (let i = 0; i < 20_000; i++) slice(0, 50_000, (n) => n / 2);
    const late = samples.slice(-100);
    const mean = late.reduce((sum, { time }) => sum + time, 0) / late.length;
    expect(mean).toBeGreaterThan(PERIOD * 0.9);
    expect(mean).toBeLessThan(PERIOD * 1.1);
    expect(new Set(late.map(({ time }) => time)).size).toBeGreaterThan(90);
  });

  it("is not misled by a slice in which the host did something else", () => {
    const { samples, slice } = setUp(false);
    const usual = (): void => {
      for (let i = 0; i < 2000; i++) slice(0, 50_000, (n) => n * 10);
    };
    usual();
    const before = samples.length;
    let instructions = slice(0, 50_000, () => 50e6);
    while (samples.length < before + 4) instructions += slice(0, 50_000, (n) => n * 10);
    // The samples that follow are about as far apart as ever: 100 000 instructions a period.
    expect(instructions).toBeGreaterThan(200_000);
  });

  it("gives a delay to the slice in which it happened", () => {
    const { samples, slice } = setUp(false);
    slice(0, 1000, (n) => n * 10);
    slice(0, 1000, () => 5e6);
    expect(samples.map(({ time }) => time)).toEqual([5_010_000]);
    // The countdown goes on as if nothing had been.
    let instructions = 2000;
    while (samples.length < 2) instructions += slice(0, 1000, (n) => n * 10);
    expect(instructions).toBeGreaterThan(50_000);
  });

  it("counts down over slices that end early, so that samples fall anywhere in them", () => {
    const { samples, slice } = setUp(true);
    for (let i = 0; i < 100_000; i++) slice(0, 700, (n) => n * 10);
    const total = samples.reduce((sum, { time }) => sum + time, 0);
    expect(samples.length).toBeGreaterThan(60);
    expect(total).toBeGreaterThan(65_000_000 * 10);
    expect(total).toBeLessThanOrEqual(70_000_000 * 10);
  });

  it("has a countdown for each vCPU", () => {
    const { samples, slice } = setUp(true, 2);
    for (let i = 0; i < 40_000; i++) slice(i % 4 === 0 ? 1 : 0, 1000, (n) => n);
    const shares = [0, 1].map((vcpu) => samples.filter((sample) => sample.vcpu === vcpu).length);
    expect(shares[0]).toBeGreaterThan(shares[1] ?? 0);
    expect(shares[1]).toBeGreaterThan(0);
  });

  it("does not look at the host's clock for its intervals when runs must repeat", () => {
    const lengths = [1, 1000].map((cost) => {
      const { slice } = setUp(true);
      return Array.from({ length: 50 }, () => slice(0, 50_000, (n) => n * cost));
    });
    expect(lengths[0]).toEqual(lengths[1]);
  });

  it("tells what was spent outside of slices", () => {
    const { sampler, slice, outside } = setUp(true);
    slice(0, 1000, () => 400);
    sampler.ran(1000);
    expect(outside()).toBe(600);
    sampler.ran(50);
    expect(outside()).toBe(650);
  });
});
