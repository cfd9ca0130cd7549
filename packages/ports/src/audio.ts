// SPDX-License-Identifier: Apache-2.0

/** What a stream of samples means. */
export interface AudioFormat {
  /** Frames in a second. */
  readonly rate: number;
  /** Samples in a frame: 1, or 2 with the left one first. */
  readonly channels: number;
}

/**
 * Takes the sound of a machine. The machine plays by its own clock, as a sound card does by its crystal: frames come when
 * their time is over, and nothing but that clock holds them back. A sink that has no room for them, because its file or
 * its loudspeaker is slower, drops them; it never blocks and never throws.
 */
export interface AudioSink {
  /** Called once, before the first frames. */
  open(format: AudioFormat): void;
  /**
   * Whole frames of signed 16-bit samples, good only until the call returns. While nothing plays there are no calls, so
   * that the time between two calls is silence.
   * @param time when the first of them began, in ns on the machine's clock
   */
  write(samples: Int16Array, time: number): void;
}
