// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import { Pm1Control } from "./registers.js";

export interface AcpiPmState extends DeviceState {
  readonly device: "acpi-pm";
  readonly version: 1;
  status: number;
  enable: number;
  control: number;
  gpeStatus: number;
  gpeEnable: number;
  /** Half-periods of the timer's top bit up to which the timer status has been looked at. */
  timerCarries: number;
  resetControl: number;
}

/** All zero, but ACPI mode is always on: there is no SMI that would switch it. */
export function acpiPmResetState(): AcpiPmState {
  return {
    device: "acpi-pm",
    version: 1,
    status: 0,
    enable: 0,
    control: Pm1Control.SciEnable,
    gpeStatus: 0,
    gpeEnable: 0,
    timerCarries: 0,
    resetControl: 0,
  };
}
