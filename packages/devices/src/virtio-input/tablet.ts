// SPDX-License-Identifier: Apache-2.0
import { VirtioInput } from "./device.js";
import { Axis, BUTTONS, EventType, FIRST_BUTTON, LAST_POSITION, TABLET_CLASS } from "./registers.js";
import type { InputEvent } from "./state.js";

const MAX_WHEEL = 127;

function place(value: number): number {
  return Math.max(0, Math.min(LAST_POSITION, Math.trunc(value) || 0));
}

/** A virtio pointer that tells where it is, not how far it has moved. */
export class VirtioTablet extends VirtioInput {
  constructor() {
    super({
      name: "Isola Virtio Tablet",
      serial: "2",
      classCode: TABLET_CLASS,
      productId: 3,
      codes: new Map([
        [EventType.Key, Array.from({ length: BUTTONS }, (_, i) => FIRST_BUTTON + i)],
        [EventType.Relative, [Axis.Wheel]],
        [EventType.Absolute, [Axis.AbsoluteX, Axis.AbsoluteY]],
      ]),
      axes: new Map([
        [Axis.AbsoluteX, LAST_POSITION],
        [Axis.AbsoluteY, LAST_POSITION],
      ]),
    });
  }

  /**
   * The pointer is somewhere: 0 to {@link LAST_POSITION} from left to right and from top to bottom.
   * @param wheel clicks towards the user
   * @param buttons all that are down: bit 0 left, 1 right, 2 middle, 3 and 4 the others
   */
  point(x: number, y: number, wheel: number, buttons: number): void {
    const events: InputEvent[] = [
      [EventType.Absolute, Axis.AbsoluteX, place(x)],
      [EventType.Absolute, Axis.AbsoluteY, place(y)],
    ];
    const turned = Math.max(-MAX_WHEEL, Math.min(MAX_WHEEL, Math.trunc(-wheel) || 0));
    if (turned !== 0) events.push([EventType.Relative, Axis.Wheel, turned]);
    for (let i = 0; i < BUTTONS; i++) events.push(...this.press(FIRST_BUTTON + i, ((buttons >> i) & 1) !== 0));
    this.send(events);
  }
}
