// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import { APIC_DEFAULT_BASE, ApicBase, Lvt } from "./registers.js";

export interface LapicTimerState {
  initialCount: number;
  /** Value of the divide configuration register. */
  divideConfig: number;
  /** When the count was last at its initial value, in ns on the machine's clock. */
  startedAt: number;
  /** Next expiry of the count in ns, or -1 when it does not run. */
  deadline: number;
  /** IA32_TSC_DEADLINE; zero when disarmed. */
  tscDeadlineLow: number;
  tscDeadlineHigh: number;
}

export interface LapicState extends DeviceState {
  readonly device: "lapic";
  readonly version: 1;
  /** IA32_APIC_BASE. */
  baseLow: number;
  baseHigh: number;
  tpr: number;
  ldr: number;
  dfr: number;
  svr: number;
  icrLow: number;
  icrHigh: number;
  esr: number;
  /** Errors since the guest last wrote ESR. */
  newErrors: number;
  /** The LVT from the timer entry on, in register order. */
  lvt: number[];
  irr: number[];
  isr: number[];
  tmr: number[];
  /** Levels of the two local pins. */
  lint: [boolean, boolean];
  /** An ExtINT message waits for its acknowledge cycle. */
  extIntMessage: boolean;
  timer: LapicTimerState;
}

export function lapicTimerResetState(): LapicTimerState {
  return { initialCount: 0, divideConfig: 0, startedAt: 0, deadline: -1, tscDeadlineLow: 0, tscDeadlineHigh: 0 };
}

/** Values after power-up (SDM 3A "Local APIC State After Power-Up or Reset"): software-disabled, every LVT masked. */
export function lapicResetState(bsp: boolean): LapicState {
  return {
    device: "lapic",
    version: 1,
    baseLow: (APIC_DEFAULT_BASE | ApicBase.Enable | (bsp ? ApicBase.Bsp : 0)) >>> 0,
    baseHigh: 0,
    tpr: 0,
    ldr: 0,
    dfr: 0xffff_ffff,
    svr: 0xff,
    icrLow: 0,
    icrHigh: 0,
    esr: 0,
    newErrors: 0,
    lvt: [Lvt.Masked, Lvt.Masked, Lvt.Masked, Lvt.Masked, Lvt.Masked, Lvt.Masked],
    irr: [0, 0, 0, 0, 0, 0, 0, 0],
    isr: [0, 0, 0, 0, 0, 0, 0, 0],
    tmr: [0, 0, 0, 0, 0, 0, 0, 0],
    lint: [false, false],
    extIntMessage: false,
    timer: lapicTimerResetState(),
  };
}
