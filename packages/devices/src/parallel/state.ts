// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import { Control } from "./registers.js";

export interface ParallelState extends DeviceState {
  readonly device: "parallel";
  readonly version: 1;
  data: number;
  control: number;
  /** Whether the printer's acknowledgement has not been seen: it lasts until the status is read. */
  interrupting: boolean;
}

export function parallelState(): ParallelState {
  return { device: "parallel", version: 1, data: 0, control: Control.InitOff | Control.Select, interrupting: false };
}
