// SPDX-License-Identifier: Apache-2.0
/** Commands of disks (SPC-3, SBC-3). Those that CD drives have too carry the same numbers there. */
export const enum Scsi {
  TestUnitReady = 0x00,
  RequestSense = 0x03,
  Read6 = 0x08,
  Write6 = 0x0a,
  Inquiry = 0x12,
  ModeSelect6 = 0x15,
  ModeSense6 = 0x1a,
  StartStop = 0x1b,
  SendDiagnostic = 0x1d,
  PreventRemoval = 0x1e,
  ReadFormatCapacities = 0x23,
  ReadCapacity10 = 0x25,
  Read10 = 0x28,
  Write10 = 0x2a,
  Seek10 = 0x2b,
  WriteVerify10 = 0x2e,
  Verify10 = 0x2f,
  SynchronizeCache10 = 0x35,
  ModeSelect10 = 0x55,
  ModeSense10 = 0x5a,
  Read16 = 0x88,
  Write16 = 0x8a,
  Verify16 = 0x8f,
  SynchronizeCache16 = 0x91,
  ServiceActionIn16 = 0x9e,
  ReportLuns = 0xa0,
  Read12 = 0xa8,
  Write12 = 0xaa,
}

/** Service action of {@link Scsi.ServiceActionIn16}. */
export const READ_CAPACITY_16 = 0x10;
export const BLOCK_SIZE = 512;
/** Pages of vital product data (SPC-3, 7.6). */
export const enum VpdPage {
  Supported = 0x00,
  Serial = 0x80,
  Identification = 0x83,
  BlockLimits = 0xb0,
  Characteristics = 0xb1,
}

export const enum ModePage {
  RigidGeometry = 0x04,
  Caching = 0x08,
  All = 0x3f,
}
