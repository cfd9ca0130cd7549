// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";

/** One of the two chips. */
export interface PicChipState {
  irr: number;
  isr: number;
  imr: number;
  /** Levels of the inputs. */
  lines: number;
  elcr: number;
  /** Upper five bits of the vector (ICW2). */
  vectorBase: number;
  /** The input with the lowest priority. */
  lowest: number;
  /** Which ICW the data port waits for: 0 for none, else 2, 3 or 4. */
  expecting: number;
  needIcw4: boolean;
  single: boolean;
  levelTriggered: boolean;
  autoEoi: boolean;
  rotateOnAutoEoi: boolean;
  specialFullyNested: boolean;
  specialMask: boolean;
  readIsr: boolean;
  poll: boolean;
}

export interface PicState extends DeviceState {
  readonly device: "pic8259";
  readonly version: 1;
  master: PicChipState;
  slave: PicChipState;
  /** Level of the INT output of the master. */
  interrupt: boolean;
}

export function picChipResetState(): PicChipState {
  return {
    irr: 0,
    isr: 0,
    imr: 0,
    lines: 0,
    elcr: 0,
    vectorBase: 0,
    lowest: 7,
    expecting: 0,
    needIcw4: false,
    single: false,
    levelTriggered: false,
    autoEoi: false,
    rotateOnAutoEoi: false,
    specialFullyNested: false,
    specialMask: false,
    readIsr: false,
    poll: false,
  };
}

/** The chip has no reset pin and powers up undefined; all zero here, until the firmware or the kernel initialises it. */
export function picResetState(): PicState {
  return { device: "pic8259", version: 1, master: picChipResetState(), slave: picChipResetState(), interrupt: false };
}
