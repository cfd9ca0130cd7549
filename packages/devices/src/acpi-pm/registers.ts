// SPDX-License-Identifier: Apache-2.0
/**
 * The fixed-hardware register block of ACPI (specification 6.5, section 4.8.3). Offsets are those of our own block; the
 * FADT tells the guest where it is.
 */
export const enum Pm {
  Status = 0x00,
  Enable = 0x02,
  Control = 0x04,
  Timer = 0x08,
  GpeStatus = 0x10,
  GpeEnable = 0x12,
}

export const PM_BLOCK_SIZE = 0x20;
export const PM_EVENT_LENGTH = 4;
export const PM_CONTROL_LENGTH = 2;
export const PM_TIMER_LENGTH = 4;
/** GPE0 block: two bytes of status, two of enable, so 16 events. */
export const GPE_BLOCK_LENGTH = 4;
export const GPE_COUNT = 16;

/** PM1 status and enable (tables 4.13, 4.14). */
export const enum Pm1 {
  Timer = 1 << 0,
  Global = 1 << 5,
  PowerButton = 1 << 8,
  SleepButton = 1 << 9,
  Rtc = 1 << 10,
  Wake = 1 << 15,
  /** Status bits that are cleared by writing one. */
  StatusBits = 0x8721,
  EnableBits = 0x0721,
}

/** PM1 control (table 4.15). */
export const enum Pm1Control {
  SciEnable = 1 << 0,
  BusMasterReload = 1 << 1,
  SleepTypeShift = 10,
  SleepTypeMask = 7,
  SleepEnable = 1 << 13,
  Stored = 0x1c03,
}

/** SLP_TYP value of S5 (soft off), to be named by the `_S5` object of the DSDT. */
export const SLEEP_TYPE_S5 = 5;
/** The power-management timer: 3.579545 MHz, 32 bits wide (4.8.3.3). */
export const PM_TIMER_HZ = 3_579_545;

/** Reset control register of PC chip sets, port 0xCF9: bit 2 from 0 to 1 resets. */
export const enum ResetControl {
  FullReset = 0x02,
  ResetCpu = 0x04,
  Writable = 0x0e,
}
/** What the FADT asks the guest to write there. */
export const RESET_VALUE = 0x06;
