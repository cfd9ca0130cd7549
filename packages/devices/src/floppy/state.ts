// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import { DigitalOutput } from "./registers.js";

export interface FloppyDriveState {
  /** Cylinder of the head. */
  cylinder: number;
  /** The disk was changed, and the head has not been stepped since. */
  changed: boolean;
}

export interface FloppyState extends DeviceState {
  readonly device: "floppy";
  readonly version: 1;
  digitalOutput: number;
  tapeDrive: number;
  rate: number;
  phase: "command" | "execution" | "result";
  /** Bytes of the command so far. */
  command: number[];
  /** Bytes of the result that are still to be read. */
  result: number[];
  interrupt: boolean;
  /** Status 0 of each interrupt that SENSE INTERRUPT STATUS has not asked for. */
  pending: number[];
  drives: FloppyDriveState[];
  specify: number[];
  configure: number[];
  perpendicular: number;
  lock: boolean;
}

export function floppyResetState(): FloppyState {
  return {
    device: "floppy",
    version: 1,
    digitalOutput: DigitalOutput.NotReset | DigitalOutput.DmaGate,
    tapeDrive: 0,
    rate: 2,
    phase: "command",
    command: [],
    result: [],
    interrupt: false,
    pending: [],
    drives: [
      { cylinder: 0, changed: true },
      { cylinder: 0, changed: true },
    ],
    specify: [0, 0],
    configure: [0, 0],
    perpendicular: 0,
    lock: false,
  };
}
