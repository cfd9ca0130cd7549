// SPDX-License-Identifier: Apache-2.0
/** The Intel 82077AA floppy disk controller (data sheet, order number 290166). */
export const FLOPPY_PORT = 0x3f0;
/** 0x3F6 belongs to the hard disk controller. */
export const FLOPPY_PORTS = 6;
export const FLOPPY_INPUT_PORT = 0x3f7;
export const FLOPPY_IRQ = 6;
export const FLOPPY_DMA = 2;
export const DRIVES = 2;
export const SECTOR_SIZE = 512;
/** Size code of 512 bytes. */
export const SECTOR_CODE = 2;

/** Offsets from 0x3F0. */
export const enum Port {
  StatusA = 0,
  StatusB = 1,
  DigitalOutput = 2,
  TapeDrive = 3,
  /** Main status when read, data rate select when written. */
  MainStatus = 4,
  Fifo = 5,
}

export const enum DigitalOutput {
  Drive = 0x03,
  NotReset = 0x04,
  /** Interrupts and DMA are connected. */
  DmaGate = 0x08,
  Motor0 = 0x10,
}

export const enum MainStatus {
  Busy = 0x10,
  /** The host does not use DMA, and moves data itself. */
  NonDma = 0x20,
  /** The controller sends; else it takes. */
  ToHost = 0x40,
  Request = 0x80,
}

/** In the data rate select register: software reset, which ends by itself. */
export const RATE_RESET = 0x80;
export const RATE_MASK = 0x03;
/** In the digital input register: the disk has been changed since the last step. */
export const DISK_CHANGED = 0x80;

/** Lower five bits of a command. */
export const enum Command {
  ReadTrack = 0x02,
  Specify = 0x03,
  SenseDrive = 0x04,
  Write = 0x05,
  Read = 0x06,
  Recalibrate = 0x07,
  SenseInterrupt = 0x08,
  WriteDeleted = 0x09,
  ReadId = 0x0a,
  ReadDeleted = 0x0c,
  Format = 0x0d,
  DumpRegisters = 0x0e,
  Seek = 0x0f,
  Version = 0x10,
  Perpendicular = 0x12,
  Configure = 0x13,
  Lock = 0x14,
  Verify = 0x16,
  PartId = 0x18,
}

/** Bytes of a command, itself included. */
export const COMMAND_LENGTHS: Readonly<Record<number, number>> = {
  [Command.ReadTrack]: 9,
  [Command.Specify]: 3,
  [Command.SenseDrive]: 2,
  [Command.Write]: 9,
  [Command.Read]: 9,
  [Command.Recalibrate]: 2,
  [Command.SenseInterrupt]: 1,
  [Command.WriteDeleted]: 9,
  [Command.ReadId]: 2,
  [Command.ReadDeleted]: 9,
  [Command.Format]: 6,
  [Command.DumpRegisters]: 1,
  [Command.Seek]: 3,
  [Command.Version]: 1,
  [Command.Perpendicular]: 2,
  [Command.Configure]: 4,
  [Command.Lock]: 1,
  [Command.Verify]: 9,
  [Command.PartId]: 1,
};

export const MULTI_TRACK = 0x80;
/** In LOCK: set, or release. */
export const LOCK_SET = 0x80;
/** In SEEK: by a number of tracks. */
export const RELATIVE_SEEK = 0x80;
export const RELATIVE_UP = 0x40;
export const ENHANCED_VERSION = 0x90;
export const PART_ID = 0x41;
/** In SPECIFY: no DMA. */
export const NO_DMA = 0x01;
/** In CONFIGURE: seek to the cylinder of a command before it. */
export const IMPLIED_SEEK = 0x40;

export const enum Status0 {
  Drive = 0x03,
  Head = 0x04,
  EquipmentCheck = 0x10,
  SeekEnd = 0x20,
  Abnormal = 0x40,
  Invalid = 0x80,
  /** The drive became ready or not ready: what a reset reports for each drive. */
  Polling = 0xc0,
}
export const enum Status1 {
  MissingMark = 0x01,
  NotWritable = 0x02,
  NoData = 0x04,
  Overrun = 0x10,
  DataError = 0x20,
  EndOfCylinder = 0x80,
}
export const enum Status2 {
  WrongCylinder = 0x10,
}
export const enum Status3 {
  TwoSides = 0x08,
  Track0 = 0x10,
  Ready = 0x20,
  WriteProtected = 0x40,
}

export const MAX_CYLINDER = 85;
