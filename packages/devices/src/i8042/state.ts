// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import { Mode } from "./registers.js";

export interface I8042State extends DeviceState {
  readonly device: "i8042";
  readonly version: 1;
  mode: number;
  /** Answer that waits in the output buffer, or -1. */
  output: number;
  /** Command whose parameter the data port takes next, or -1. */
  awaiting: number;
  lastWasCommand: boolean;
  a20: boolean;
  /** System port A without its A20 bit. */
  portA: number;
}

/** Values after reset; address line 20 is open, as firmware leaves it. */
export function i8042ResetState(): I8042State {
  return {
    device: "i8042",
    version: 1,
    mode: Mode.Reset,
    output: -1,
    awaiting: -1,
    lastWasCommand: false,
    a20: true,
    portA: 0,
  };
}
