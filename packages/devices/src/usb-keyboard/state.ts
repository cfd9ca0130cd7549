// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import type { HidState } from "../usb-hid/state.js";

export interface UsbKeyboardState extends DeviceState {
  readonly device: "usb-keyboard";
  readonly version: 1;
  hid: HidState;
  /** Bits of the modifiers that are down. */
  modifiers: number;
  /** Usages of the other keys that are down, in the order in which they went down. */
  keys: number[];
  /** Lights: bit 0 num lock, 1 caps lock, 2 scroll lock, 3 compose, 4 kana. */
  leds: number;
}
