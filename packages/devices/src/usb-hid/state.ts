// SPDX-License-Identifier: Apache-2.0
import { type UsbFunctionState, usbFunctionResetState } from "../usb/function.js";
import { REPORT_PROTOCOL } from "./registers.js";

export interface HidState {
  function: UsbFunctionState;
  protocol: number;
  /** A report is repeated after this many times 4 ms; 0 for never. */
  idle: number;
  /** Time of the machine's clock at which the next repetition is due; null for none. */
  idleDeadline: number | null;
  /** Reports that wait. */
  queue: number[][];
  /** The host has asked for a report since it configured the device. */
  polled: boolean;
}

export function hidResetState(): HidState {
  return {
    function: usbFunctionResetState(),
    protocol: REPORT_PROTOCOL,
    idle: 0,
    idleDeadline: null,
    queue: [],
    polled: false,
  };
}
