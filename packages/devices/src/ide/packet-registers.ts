// SPDX-License-Identifier: Apache-2.0
/** Commands of CD and DVD drives (SPC-3, MMC-6). */
export const enum Packet {
  TestUnitReady = 0x00,
  RequestSense = 0x03,
  Inquiry = 0x12,
  ModeSense6 = 0x1a,
  StartStop = 0x1b,
  PreventRemoval = 0x1e,
  ReadCapacity = 0x25,
  Read10 = 0x28,
  Seek10 = 0x2b,
  ReadToc = 0x43,
  GetConfiguration = 0x46,
  GetEventStatus = 0x4a,
  ReadDiscInformation = 0x51,
  ModeSense10 = 0x5a,
  Read12 = 0xa8,
  MechanismStatus = 0xbd,
  ReadCd = 0xbe,
}

export const enum SenseKey {
  None = 0,
  NotReady = 2,
  MediumError = 3,
  IllegalRequest = 5,
  UnitAttention = 6,
  DataProtect = 7,
}

/** Additional sense code in the upper byte, qualifier in the lower. */
export const enum SenseCode {
  None = 0,
  WriteError = 0x0c00,
  UnrecoveredRead = 0x1100,
  InvalidCommand = 0x2000,
  OutOfRange = 0x2100,
  InvalidField = 0x2400,
  NoSuchUnit = 0x2500,
  WriteProtected = 0x2700,
  MediumChanged = 0x2800,
  NoMedium = 0x3a00,
  RemovalPrevented = 0x5302,
}

export const SENSE_LENGTH = 18;
/** Mode pages. */
export const enum ModePage {
  ErrorRecovery = 0x01,
  Capabilities = 0x2a,
  All = 0x3f,
}
/** Address of the lead-out track in a table of contents. */
export const LEAD_OUT = 0xaa;
/** A second has 75 frames, and the first one after the lead-in has number 150. */
export const FRAMES_PER_SECOND = 75;
export const FIRST_FRAME = 150;
