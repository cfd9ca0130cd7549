// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { ControlledVm } from "./control-target.js";
import type { InputEvent } from "./messages.js";

/** A PS/2 keyboard keeps 16 bytes, and guests that poll for keys miss what comes and goes at once. */
const INTERVAL_MS = 10;
/** The far end of the screen for a device that tells where it is. */
const LAST_POSITION = 0x7fff;

/** A pixel as a part of the screen: the last one is the end. */
function fraction(pixel: number, size: number): number {
  return Math.round((Math.min(pixel, size - 1) * LAST_POSITION) / Math.max(size - 1, 1));
}

/** Gives a machine its input at the pace of somebody who types fast; requests of several callers one after another. */
export class InputPacer {
  private last: Promise<void> = Promise.resolve();
  /** The pixel that was pointed at last, and moved from since. */
  private pixel: { readonly x: number; readonly y: number } | null = null;

  constructor(private readonly vm: ControlledVm) {}

  /**
   * Resolves when all events have been given; rejects with an OperatorError if the machine stops running before, or if
   * there is no screen to point at.
   */
  play(events: readonly InputEvent[]): Promise<void> {
    const done = this.last.then(() => this.playNow(events));
    this.last = done.catch(() => {});
    return done;
  }

  private async playNow(events: readonly InputEvent[]): Promise<void> {
    for (const event of events) {
      this.perform(event);
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
  }

  private perform(event: InputEvent): void {
    const { vm } = this;
    if (event.type === "key") return vm.perform({ ...event, type: "key-input" });
    if (event.type === "point") return this.point(event.x, event.y, 0, event.buttons);
    const { dx, dy, wheel, buttons } = event;
    if (this.pixel === null) return vm.perform({ type: "mouse-input", dx, dy, wheel, buttons });
    this.point(Math.max(0, this.pixel.x + dx), Math.max(0, this.pixel.y + dy), wheel, buttons);
  }

  /** A mouse gets the way there, a tablet the place. */
  private point(x: number, y: number, wheel: number, buttons: number): void {
    const screen = this.vm.screen();
    if (screen === null)
      throw new OperatorError("display-off", "there is no screen to point at, or it is switched off");
    const from = this.pixel ?? { x, y };
    this.pixel = { x: Math.min(x, screen.width - 1), y: Math.min(y, screen.height - 1) };
    const at = { x: fraction(x, screen.width), y: fraction(y, screen.height) };
    this.vm.perform({ type: "mouse-input", dx: x - from.x, dy: y - from.y, wheel, buttons, at });
  }
}
