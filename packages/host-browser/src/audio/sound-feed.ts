// SPDX-License-Identifier: Apache-2.0
import type { AudioFormat, AudioSink } from "@isola/ports";
import type { SoundPiece } from "./loudspeaker.js";

/** Sends the sound of a machine to its page. */
export class SoundFeed implements AudioSink {
  private format: AudioFormat = { rate: 48_000, channels: 2 };

  constructor(private readonly send: (piece: SoundPiece & { readonly samples: Int16Array<ArrayBuffer> }) => void) {}

  open(format: AudioFormat): void {
    this.format = format;
  }

  write(samples: Int16Array, time: number): void {
    this.send({ format: this.format, samples: new Int16Array(samples), time });
  }
}
