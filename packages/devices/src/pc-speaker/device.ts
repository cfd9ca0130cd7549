// SPDX-License-Identifier: Apache-2.0
import type { Timers } from "@isola/ports";
import type { AudioOutput } from "../audio-output/device.js";
import { OUTPUT_CHANNELS, OUTPUT_RATE } from "../audio-output/registers.js";
import type { AudioSource } from "../audio-output/source.js";
import { checkState, copyState, type Device } from "../device.js";
import type { Pit8254 } from "../pit8254/device.js";
import { PIT_HZ } from "../pit8254/registers.js";
import { AMPLITUDE, STEADY_NS } from "./registers.js";
import { pcSpeakerState, type PcSpeakerState } from "./state.js";

const TICKS_PER_FRAME = PIT_HZ / OUTPUT_RATE;

/** The loudspeaker behind an 8254; silent on a machine that nobody hears. */
export class PcSpeaker implements Device<PcSpeakerState>, AudioSource {
  private s = pcSpeakerState();

  constructor(
    private readonly pit: Pit8254,
    private readonly output: AudioOutput,
    private readonly timers: Timers,
  ) {
    output.add(this);
    let wasOn = false;
    pit.watchSpeaker({
      beforeChange: () => {
        output.catchUp();
        wasOn = pit.speakerOn;
      },
      changed: () => {
        if (!wasOn && !pit.speakerOn) return;
        this.s.changedAt = timers.now();
        output.changed();
      },
    });
  }

  reset(): void {
    this.s = pcSpeakerState();
  }

  save(): PcSpeakerState {
    return copyState(this.s);
  }

  restore(state: PcSpeakerState): void {
    checkState(state, "pc-speaker", 1);
    this.s = copyState(state);
  }

  active(): boolean {
    const { pit, output, s } = this;
    if (!output.heard || s.changedAt < 0) return false;
    return (pit.speakerOn && pit.speakerTone) || this.timers.now() - s.changedAt < STEADY_NS;
  }

  framesToEvent(): number {
    return Infinity;
  }

  mix(first: number, frames: number, sum: Float64Array): boolean {
    const { pit } = this;
    if (!pit.speakerOn) return true;
    for (let i = 0; i < frames; i++) {
      const from = (first + i) * TICKS_PER_FRAME;
      const level = (2 * pit.speakerShare(from, from + TICKS_PER_FRAME) - 1) * AMPLITUDE;
      sum[OUTPUT_CHANNELS * i] += level;
      sum[OUTPUT_CHANNELS * i + 1] += level;
    }
    return true;
  }
}
