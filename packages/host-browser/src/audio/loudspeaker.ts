// SPDX-License-Identifier: Apache-2.0
import type { AudioFormat } from "@isola/ports";
import { PlayingTimes } from "./playing-times.js";

/** A piece of sound on its way from a machine to a page. */
export interface SoundPiece {
  readonly format: AudioFormat;
  /** Whole frames of signed 16-bit samples. */
  readonly samples: Int16Array;
  /** When the first of them began, in ns on the machine's clock. */
  readonly time: number;
}

const FULL_SCALE = 0x8000;

/**
 * Plays the sound of a machine by the Web Audio API. A browser is silent until its user has clicked or typed somewhere in
 * the page; what sounds before is lost.
 */
export class Loudspeaker {
  private readonly times = new PlayingTimes();
  private output: { readonly context: AudioContext; readonly volume: GainNode } | null = null;
  private silent = false;

  /** @param create makes the context when the first sound comes */
  constructor(private readonly create: () => AudioContext = () => new AudioContext({ latencyHint: "interactive" })) {}

  get muted(): boolean {
    return this.silent;
  }

  set muted(muted: boolean) {
    this.silent = muted;
    if (this.output === null) return;
    this.output.volume.gain.value = muted ? 0 : 1;
    if (!muted) wake(this.output.context);
  }

  play({ format: { rate, channels }, samples, time }: SoundPiece): void {
    const { context, volume } = (this.output ??= this.open());
    const frames = samples.length / channels;
    const start = this.times.take(time / 1e9, frames / rate, context.currentTime);
    if (start === null) return wake(context);
    const buffer = context.createBuffer(channels, frames, rate);
    for (let channel = 0; channel < channels; channel++) {
      const data = buffer.getChannelData(channel);
      for (let i = 0; i < frames; i++) data[i] = (samples[i * channels + channel] ?? 0) / FULL_SCALE;
    }
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(volume);
    source.start(start);
  }

  close(): void {
    void this.output?.context.close();
    this.output = null;
  }

  private open(): { readonly context: AudioContext; readonly volume: GainNode } {
    const context = this.create();
    const volume = context.createGain();
    volume.gain.value = this.silent ? 0 : 1;
    volume.connect(context.destination);
    wake(context);
    return { context, volume };
  }
}

/** Refused as long as nobody has touched the page. */
function wake(context: AudioContext): void {
  if (context.state === "suspended") void context.resume().catch(() => {});
}
