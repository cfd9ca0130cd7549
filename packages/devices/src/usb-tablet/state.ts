// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import type { HidState } from "../usb-hid/state.js";

export interface UsbTabletState extends DeviceState {
  readonly device: "usb-tablet";
  readonly version: 1;
  hid: HidState;
  x: number;
  y: number;
  buttons: number;
}
