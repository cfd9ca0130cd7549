// SPDX-License-Identifier: Apache-2.0
import type { AudioSink, Timer, Timers } from "@isola/ports";
import { checkState, copyState, type Device } from "../device.js";
import { BLOCK_FRAMES, MIN_FRAMES, OUTPUT_CHANNELS, OUTPUT_RATE } from "./registers.js";
import type { AudioSource } from "./source.js";
import { type AudioOutputState, audioOutputState } from "./state.js";

/** First nanosecond of a frame. */
function nsOf(frame: number): number {
  return Math.ceil((frame * 1e9) / OUTPUT_RATE);
}

/**
 * Mixes the sources of a machine into one stream. A source calls `catchUp` before it changes anything that can be heard or
 * read, and `changed` afterwards.
 */
export class AudioOutput implements Device<AudioOutputState> {
  private readonly sources: AudioSource[] = [];
  private readonly sum = new Float64Array(BLOCK_FRAMES * OUTPUT_CHANNELS);
  private readonly samples = new Int16Array(BLOCK_FRAMES * OUTPUT_CHANNELS);
  private readonly timer: Timer;
  private s = audioOutputState();

  /** @param sink null for a machine that nobody hears, whose sources work all the same */
  constructor(
    private readonly timers: Timers,
    private readonly sink: AudioSink | null,
  ) {
    this.timer = timers.create(() => {
      this.catchUp();
      this.changed();
    });
    sink?.open({ rate: OUTPUT_RATE, channels: OUTPUT_CHANNELS });
  }

  /** Whether what is mixed goes anywhere. */
  get heard(): boolean {
    return this.sink !== null;
  }

  add(source: AudioSource): void {
    this.sources.push(source);
  }

  reset(): void {
    this.s = audioOutputState();
    this.timer.cancel();
  }

  save(): AudioOutputState {
    return copyState(this.s);
  }

  restore(state: AudioOutputState): void {
    checkState(state, "audio-output", 1);
    this.s = copyState(state);
    // Early, if the event that the timer waited for is not known yet: it finds out.
    if (this.s.running) this.timer.set(nsOf(this.s.position + MIN_FRAMES));
    else this.timer.cancel();
  }

  /** Lets the sources play up to this moment. */
  catchUp(): void {
    const { s } = this;
    if (!s.running) return;
    const now = this.now();
    while (s.position < now) {
      const frames = Math.min(now - s.position, BLOCK_FRAMES);
      const first = s.position;
      s.position += frames;
      this.play(first, frames);
    }
  }

  /** Looks again at what the sources do, and when they want to be called. */
  changed(): void {
    const { s } = this;
    const active = this.sources.filter((source) => source.active());
    if (active.length === 0) {
      s.running = false;
      this.timer.cancel();
      return;
    }
    if (!s.running) s.position = this.now();
    s.running = true;
    let wait = BLOCK_FRAMES;
    for (const source of active) wait = Math.min(wait, source.framesToEvent());
    this.timer.set(nsOf(s.position + Math.max(Math.ceil(wait), MIN_FRAMES)));
  }

  private now(): number {
    return Math.floor((this.timers.now() * OUTPUT_RATE) / 1e9);
  }

  private play(first: number, frames: number): void {
    const { sum, samples, sink } = this;
    const length = frames * OUTPUT_CHANNELS;
    sum.fill(0, 0, length);
    let heard = false;
    for (const source of this.sources) if (source.active() && source.mix(first, frames, sum)) heard = true;
    if (sink === null || !heard) return;
    for (let i = 0; i < length; i++) samples[i] = Math.max(-0x8000, Math.min(0x7fff, Math.round(sum[i])));
    sink.write(samples.subarray(0, length), nsOf(first));
  }
}
