// SPDX-License-Identifier: Apache-2.0
import type { ControlledVm } from "./control-target.js";
import type { InputEvent } from "./messages.js";

/** A PS/2 keyboard keeps 16 bytes, and guests that poll for keys miss what comes and goes at once. */
const INTERVAL_MS = 10;

/** Gives a machine its input at the pace of somebody who types fast; requests of several callers one after another. */
export class InputPacer {
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly vm: ControlledVm) {}

  /** Resolves when all events have been given; rejects with a StateError if the machine stops running before. */
  play(events: readonly InputEvent[]): Promise<void> {
    const done = this.last.then(() => this.playNow(events));
    this.last = done.catch(() => {});
    return done;
  }

  private async playNow(events: readonly InputEvent[]): Promise<void> {
    for (const event of events) {
      if (event.type === "key") this.vm.perform({ ...event, type: "key-input" });
      else this.vm.perform({ ...event, type: "mouse-input" });
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
  }
}
