// SPDX-License-Identifier: Apache-2.0
/** Registers of the Motorola MC146818 real-time clock and the PC's additions to it. */
export const enum Cmos {
  Seconds = 0x00,
  SecondsAlarm = 0x01,
  Minutes = 0x02,
  MinutesAlarm = 0x03,
  Hours = 0x04,
  HoursAlarm = 0x05,
  DayOfWeek = 0x06,
  DayOfMonth = 0x07,
  Month = 0x08,
  Year = 0x09,
  A = 0x0a,
  B = 0x0b,
  C = 0x0c,
  D = 0x0d,
  /** Where PC firmware keeps the century; the FADT names this index. */
  Century = 0x32,
}

/** Register A. */
export const enum RegA {
  Rate = 0x0f,
  Divider = 0x70,
  /** The divider code at which the clock runs from a 32.768 kHz crystal. */
  DividerRun = 0x20,
  Writable = 0x7f,
  UpdateInProgress = 0x80,
}

/** Register B. */
export const enum RegB {
  Daylight = 0x01,
  Hours24 = 0x02,
  Binary = 0x04,
  SquareWave = 0x08,
  UpdateEnded = 0x10,
  Alarm = 0x20,
  Periodic = 0x40,
  /** Stops updates while the guest sets the time. */
  Set = 0x80,
}

/** Register C: the causes have the same bits as their enables in register B. */
export const enum RegC {
  UpdateEnded = 0x10,
  Alarm = 0x20,
  Periodic = 0x40,
  Irq = 0x80,
  Causes = 0x70,
}

/** Register D: battery good. */
export const REG_D_VALID = 0x80;
export const HOUR_PM = 0x80;
/** An alarm field with both top bits set matches any value. */
export const ALARM_ANY = 0xc0;
/** UIP goes up 244 us before an update that takes 1984 us (data sheet, "Update Cycle"). */
export const UPDATE_MS = 2.228;
export const CRYSTAL_HZ = 32_768;
export const CMOS_SIZE = 256;
