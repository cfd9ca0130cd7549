// SPDX-License-Identifier: Apache-2.0
import { VirtioInput } from "./device.js";
import { ALL_KEYS, keyCodeOf } from "./key-codes.js";
import { EventType, KEYBOARD_CLASS, LIGHTS } from "./registers.js";

/** A virtio keyboard. The driver repeats keys that are held. */
export class VirtioKeyboard extends VirtioInput {
  constructor() {
    super({
      name: "Isola Virtio Keyboard",
      serial: "1",
      classCode: KEYBOARD_CLASS,
      productId: 1,
      codes: new Map([
        [EventType.Key, ALL_KEYS],
        [EventType.Light, Array.from({ length: LIGHTS }, (_, i) => i)],
        [EventType.Repeat, [0]],
      ]),
      axes: new Map(),
    });
  }

  /** A key goes down or up: code of scan code set 1, see `keyCodeOf`. A repeated press changes nothing. */
  key(code: number, pressed: boolean): void {
    const key = keyCodeOf(code);
    if (key !== 0) this.send(this.press(key, pressed));
  }
}
