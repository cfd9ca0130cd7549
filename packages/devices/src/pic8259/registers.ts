// SPDX-License-Identifier: Apache-2.0
/** Command words of the Intel 8259A (data sheet 231468, "Programming the 8259A"). */
export const enum Icw1 {
  /** Tells ICW1 from OCW2 and OCW3. */
  Select = 0x10,
  NeedIcw4 = 0x01,
  Single = 0x02,
  LevelTriggered = 0x08,
}

export const enum Icw4 {
  AutoEoi = 0x02,
  SpecialFullyNested = 0x10,
}

/** OCW2 commands, bits 7:5: rotate, specific, end of interrupt. */
export const enum Ocw2 {
  RotateAutoEoiClear = 0,
  NonSpecificEoi = 1,
  SpecificEoi = 3,
  RotateAutoEoiSet = 4,
  RotateNonSpecificEoi = 5,
  SetPriority = 6,
  RotateSpecificEoi = 7,
}

export const enum Ocw3 {
  /** Tells OCW3 from OCW2. */
  Select = 0x08,
  ReadIsr = 0x01,
  ReadCommand = 0x02,
  Poll = 0x04,
  SpecialMask = 0x20,
  SpecialMaskCommand = 0x40,
}

/** The input of the master that the slave drives. */
export const CASCADE_INPUT = 2;
/** Inputs whose trigger mode the edge/level control registers can change: not 0, 1, 2, 8 and 13. */
export const ELCR_WRITABLE_MASTER = 0xf8;
export const ELCR_WRITABLE_SLAVE = 0xde;
