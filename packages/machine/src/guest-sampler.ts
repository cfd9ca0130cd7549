// SPDX-License-Identifier: Apache-2.0
import type { Clock, GuestMemory, GuestSample, SampleSink } from "@isola/ports";
import type { SchedulerObserver } from "./scheduler.js";

/** A vCPU that can be looked at between two slices. */
export interface Sampled {
  sample(time: number): GuestSample;
  /** What it sees of memory, now. */
  memory(): GuestMemory;
}

/** First guess of the speed, in instructions a nanosecond. */
const INITIAL_SPEED = 0.1;
/** What a virtual clock takes for the speed: runs repeat only if nothing depends on the real one. */
const VIRTUAL_SPEED = 1;
/** Weight of the latest slice in the running estimate of speed. */
const SPEED_GAIN = 0.1;
/**
 * A slice counts as at most so many times faster or slower than the estimate. Otherwise one in which the host did something
 * else would bring the next samples close to its end, where the guest always does the same: it serves the timers that are
 * late.
 */
const MAX_SPEED_RATIO = 2;
/** A slice that takes so many ns of host time gets a sample of its own. */
const LONG_SLICE = 1e6;
/** Slices shorter than this say little about speed. */
const MIN_MEASURED = 500;

interface Countdown {
  /** Instructions until the next sample. */
  left: number;
  /** Host time that the vCPU has had since its last one. */
  time: number;
  /** When its slice began. */
  start: number;
}

/**
 * Samples vCPUs every so many instructions: as many as take the sink's period at the speed of late, a quarter more or
 * less, so that samples do not march in step with a loop. Slices are cut where a sample is due; the sample stands for all
 * host time that the vCPU has had since its last one. Counting down instructions, and not looking at whatever happens to be
 * at the end of a slice, keeps guests that often halt from showing nothing but their idle loop.
 */
export class GuestSampler implements SchedulerObserver {
  private readonly countdowns: readonly Countdown[];
  private speed: number;
  private random = 1;
  private inSlices = 0;

  /** @param repeatable the intervals must not depend on the speed of the host */
  constructor(
    private readonly sink: SampleSink,
    private readonly clock: Clock,
    private readonly vcpus: readonly Sampled[],
    private readonly repeatable: boolean,
  ) {
    this.speed = repeatable ? VIRTUAL_SPEED : INITIAL_SPEED;
    this.countdowns = vcpus.map(() => ({ left: this.interval(), time: 0, start: 0 }));
  }

  sliceBegins(vcpu: number): number {
    const countdown = this.countdowns[vcpu];
    countdown.start = this.clock.now();
    return countdown.left;
  }

  sliceEnds(vcpu: number, instructions: number): void {
    const countdown = this.countdowns[vcpu];
    const now = this.clock.now();
    const elapsed = now - countdown.start;
    countdown.time += elapsed;
    countdown.left -= instructions;
    this.inSlices += elapsed;
    if (!this.repeatable && instructions >= MIN_MEASURED && elapsed > 0) this.measure(instructions / elapsed);
    // Left to the next sample, a long delay would count for whatever serves the timers that are late by then.
    const delayed = !this.repeatable && elapsed >= Math.max(LONG_SLICE, this.sink.period);
    if (countdown.left > 0 && !delayed) return;
    this.sink.sample(this.vcpus[vcpu].sample(countdown.time), this.vcpus[vcpu].memory());
    countdown.time = 0;
    if (countdown.left <= 0) countdown.left = this.interval();
    // The host's work for the sample belongs to nobody in the guest.
    this.inSlices += this.clock.now() - now;
  }

  woken(): void {}

  /** The machine has had the thread for `time` ns, slices included. */
  ran(time: number): void {
    this.sink.outside(Math.max(0, time - this.inSlices));
    this.inSlices = 0;
  }

  /** The machine is about to be reset. */
  settle(): void {
    this.sink.settle();
  }

  private measure(speed: number): void {
    const low = this.speed / MAX_SPEED_RATIO;
    const high = this.speed * MAX_SPEED_RATIO;
    this.speed += (Math.min(high, Math.max(low, speed)) - this.speed) * SPEED_GAIN;
  }

  /** Instructions until a sample. */
  private interval(): number {
    // Numerical Recipes' generator of 32 bits: any will do.
    this.random = (Math.imul(this.random, 1_664_525) + 1_013_904_223) >>> 0;
    const jitter = 0.75 + this.random / 2 ** 33;
    return Math.max(1, Math.round(this.sink.period * this.speed * jitter));
  }
}
