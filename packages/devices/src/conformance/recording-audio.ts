// SPDX-License-Identifier: Apache-2.0
import type { AudioFormat, AudioSink } from "@isola/ports";

/** Keeps what a machine plays. */
export class RecordingAudio implements AudioSink {
  format: AudioFormat | null = null;
  readonly left: number[] = [];
  readonly right: number[] = [];
  readonly times: number[] = [];

  open(format: AudioFormat): void {
    this.format = format;
  }

  write(samples: Int16Array, time: number): void {
    this.times.push(time);
    for (let i = 0; i < samples.length; i += 2) {
      this.left.push(samples[i]!);
      this.right.push(samples[i + 1]!);
    }
  }
}
