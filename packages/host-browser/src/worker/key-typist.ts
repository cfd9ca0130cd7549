// SPDX-License-Identifier: Apache-2.0
import type { KeyInput } from "@isola/machine";

/** Time between two keys in ms: a keyboard's queue is short, and a BIOS's shorter. */
const PERIOD_MS = 8;
/** Beyond this, what is to be typed is left out. */
const MAX_QUEUE = 200_000;

/** Types keys one after the other, so that guests can follow. */
export class KeyTypist {
  private queue: KeyInput[] = [];
  private timer: ReturnType<typeof setTimeout> | null = null;

  /** @param press presses or lets go a key; false if nobody is there to see it now */
  constructor(private readonly press: (input: KeyInput) => boolean) {}

  type(inputs: readonly KeyInput[]): void {
    for (const input of inputs.slice(0, MAX_QUEUE - this.queue.length)) this.queue.push(input);
    if (this.timer === null) this.next();
  }

  stop(): void {
    this.queue = [];
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private next(): void {
    const input = this.queue.shift();
    if (input === undefined || !this.press(input)) return this.stop();
    this.timer = setTimeout(() => this.next(), PERIOD_MS);
  }
}
