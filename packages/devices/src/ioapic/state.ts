// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import { IOAPIC_PINS, Redirection } from "./registers.js";

export interface IoapicState extends DeviceState {
  readonly device: "ioapic";
  readonly version: 1;
  id: number;
  select: number;
  /** Redirection entries, low and high halves. */
  low: number[];
  high: number[];
  /** Levels of the pins, one bit each. */
  pins: number;
}

/** Values after reset: every pin masked (82093AA, 3.2.4). */
export function ioapicResetState(): IoapicState {
  return {
    device: "ioapic",
    version: 1,
    id: 0,
    select: 0,
    low: Array.from({ length: IOAPIC_PINS }, () => Redirection.Masked as number),
    high: Array.from({ length: IOAPIC_PINS }, () => 0),
    pins: 0,
  };
}
