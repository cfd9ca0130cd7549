// SPDX-License-Identifier: Apache-2.0

/** Pairs of variable-range MTRRs. */
export const VARIABLE_MTRRS = 8;

/** Numbers of the model-specific registers that exist here (SDM volume 4). */
export const enum Msr {
  Tsc = 0x10,
  PlatformId = 0x17,
  ApicBase = 0x1b,
  FeatureControl = 0x3a,
  TscAdjust = 0x3b,
  BiosUpdateTrigger = 0x79,
  BiosSignId = 0x8b,
  PlatformInfo = 0xce,
  MtrrCap = 0xfe,
  ArchCapabilities = 0x10a,
  SysenterCs = 0x174,
  SysenterEsp = 0x175,
  SysenterEip = 0x176,
  McgCap = 0x179,
  McgStatus = 0x17a,
  MiscEnable = 0x1a0,
  DebugControl = 0x1d9,
  MtrrPhysBase0 = 0x200,
  MtrrFix64K = 0x250,
  MtrrFix16K = 0x258,
  MtrrFix4K = 0x268,
  Pat = 0x277,
  MtrrDefType = 0x2ff,
  TscDeadline = 0x6e0,
  X2apicFirst = 0x800,
  X2apicLast = 0x8ff,
  Efer = 0xc000_0080,
  Star = 0xc000_0081,
  Lstar = 0xc000_0082,
  Cstar = 0xc000_0083,
  Fmask = 0xc000_0084,
  FsBase = 0xc000_0100,
  GsBase = 0xc000_0101,
  KernelGsBase = 0xc000_0102,
  TscAux = 0xc000_0103,
}
