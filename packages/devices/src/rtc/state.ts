// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import type { ClockFields } from "./calendar.js";
import { CMOS_SIZE, RegA, RegB } from "./registers.js";

export interface RtcState extends DeviceState {
  readonly device: "rtc";
  readonly version: 1;
  /** Selected index of ports 0x70 and 0x72. */
  index: number;
  extendedIndex: number;
  a: number;
  b: number;
  /** Causes seen since the last read of register C. */
  c: number;
  /** What the guest's clock is ahead of the wall clock, in ms. */
  offsetMs: number;
  /** The clock registers while updates are stopped, as the guest wrote them; null while the clock runs. */
  stopped: ClockFields | null;
  /** Milliseconds into the second at which they go on. */
  stoppedFractionMs: number;
  /** Second of guest time up to which update and alarm causes have been looked at. */
  checkedSecond: number;
  /** Number of the periodic interval up to which they have been looked at. */
  checkedPeriod: number;
  /** Alarm fields, as written. */
  alarm: [number, number, number];
  /** Battery-backed bytes; those of the clock registers are unused. */
  cmos: number[];
}

/** Values after power-on with a good battery: running, 24-hour BCD, 1024 Hz selected, interrupts off. */
export function rtcResetState(): RtcState {
  return {
    device: "rtc",
    version: 1,
    index: 0,
    extendedIndex: 0,
    a: RegA.DividerRun | 6,
    b: RegB.Hours24,
    c: 0,
    offsetMs: 0,
    stopped: null,
    stoppedFractionMs: 0,
    checkedSecond: 0,
    checkedPeriod: 0,
    alarm: [0, 0, 0],
    cmos: Array.from({ length: CMOS_SIZE }, () => 0),
  };
}
