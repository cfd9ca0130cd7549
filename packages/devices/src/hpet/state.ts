// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import { HPET_TIMERS } from "./registers.js";

export interface HpetTimerState {
  configuration: number;
  /** Lower and upper half. */
  comparator: [number, number];
  /** Ticks between two interrupts of a periodic timer. */
  period: number;
}

export interface HpetState extends DeviceState {
  readonly device: "hpet";
  readonly version: 1;
  configuration: number;
  status: number;
  /** The counter while it stands still, or its distance to the machine's time in ticks while it runs. */
  counter: number;
  timers: HpetTimerState[];
}

export function hpetResetState(): HpetState {
  return {
    device: "hpet",
    version: 1,
    configuration: 0,
    status: 0,
    counter: 0,
    timers: Array.from({ length: HPET_TIMERS }, () => ({
      configuration: 0,
      comparator: [0xffff_ffff, 0xffff_ffff],
      period: 0,
    })),
  };
}
