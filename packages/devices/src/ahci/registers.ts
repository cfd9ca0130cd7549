// SPDX-License-Identifier: Apache-2.0
import type { PciIdentity } from "../pci/function.js";

/** The SATA controller of the ICH9 in AHCI mode (Intel 316972, 14.1). */
export const AHCI_IDENTITY: PciIdentity = {
  vendorId: 0x8086,
  deviceId: 0x2922,
  revision: 2,
  classCode: 0x01_0601,
  subsystemVendorId: 0x1af4,
  subsystemId: 0x1100,
};

/** The registers are behind BAR 5 (AHCI 2.1.11). */
export const ABAR = 5;
export const REGISTER_SPACE = 0x1000;
export const MAX_PORTS = 6;
export const SLOTS = 32;

/** Generic host control (3.1). */
export const enum Host {
  Capabilities = 0x00,
  Control = 0x04,
  InterruptStatus = 0x08,
  PortsImplemented = 0x0c,
  Version = 0x10,
  /** Where the registers of the first port are, and how many bytes a port has. */
  Ports = 0x100,
  PortSpan = 0x80,
}

/** 64-bit addresses, NCQ, command list override, AHCI only, 32 slots, 6 Gbit/s; the number of ports is added (3.1.1). */
export const CAPABILITIES = 0x8000_0000 + 0x4000_0000 + 0x0100_0000 + 0x0030_0000 + 0x0004_0000 + ((SLOTS - 1) << 8);
export const VERSION = 0x0001_0301;

/** GHC (3.1.2). AHCI enable is always on, as there is no other mode. */
export const enum HostControl {
  Reset = 1,
  InterruptEnable = 2,
  AhciEnable = 0x8000_0000,
}

/** Registers of a port (3.3). */
export const enum PortReg {
  CommandList = 0x00,
  CommandListHigh = 0x04,
  FisBase = 0x08,
  FisBaseHigh = 0x0c,
  InterruptStatus = 0x10,
  InterruptEnable = 0x14,
  Command = 0x18,
  TaskFile = 0x20,
  Signature = 0x24,
  SataStatus = 0x28,
  SataControl = 0x2c,
  SataError = 0x30,
  SataActive = 0x34,
  CommandIssue = 0x38,
}

/** PxIS and PxIE (3.3.5). */
export const enum PortInterrupt {
  DeviceToHost = 1 << 0,
  PioSetup = 1 << 1,
  SetDeviceBits = 1 << 3,
  /** Mirrors PxSERR.DIAG.X. */
  ConnectChange = 1 << 6,
  PhyReady = 1 << 22,
  Overflow = 1 << 24,
  HostBusFatal = 1 << 29,
  TaskFileError = 1 << 30,
}
export const INTERRUPT_BITS = 0xfd80_00ff;
/** Bits that software clears where they come from. */
export const MIRRORED_INTERRUPTS = PortInterrupt.ConnectChange | PortInterrupt.PhyReady;

/** PxCMD (3.3.7). */
export const enum PortCommand {
  Start = 1 << 0,
  SpinUp = 1 << 1,
  PowerOn = 1 << 2,
  ListOverride = 1 << 3,
  FisEnable = 1 << 4,
  SlotShift = 8,
  FisRunning = 1 << 14,
  ListRunning = 1 << 15,
  Atapi = 1 << 24,
  /** Start, FIS receive enable, ATAPI, drive LED, power management. */
  Writable = 0x0f00_0011,
}

/** PxSSTS: a device at 6 Gbit/s, active (3.3.10). */
export const LINK_UP = 0x133;
/** PxSCTL.DET: the link is being reset, or is off (3.3.11). */
export const DETECT_MASK = 0xf;
export const DETECT_RESET = 1;
export const DETECT_OFF = 4;
/** PxSERR: PhyRdy change, exchanged (3.3.12). */
export const ERROR_PHY_READY = 1 << 16;
export const ERROR_EXCHANGED = 1 << 26;
/** Task file of a port without a device (3.3.8). */
export const NO_DEVICE = 0x7f;

/** Command header (4.2.2). */
export const HEADER_SIZE = 32;
export const enum HeaderFlag {
  Atapi = 1 << 5,
  Reset = 1 << 8,
}

/** Command table (4.2.3). */
export const TABLE_ATAPI = 0x40;
export const TABLE_REGIONS = 0x80;
export const REGION_SIZE = 16;
export const REGION_LENGTH = 0x3f_ffff;

/** Where received FISes go (4.2.1), and their length. */
export const enum Received {
  PioSetup = 0x20,
  Register = 0x40,
  SetDeviceBits = 0x58,
}
export const RECEIVED_SIZE = 0x100;

/** FIS types (Serial ATA 3.0, 10.3). */
export const enum Fis {
  HostToDevice = 0x27,
  DeviceToHost = 0x34,
  PioSetup = 0x5f,
  SetDeviceBits = 0xa1,
}
/** The FIS writes the command register, not device control. */
export const FIS_IS_COMMAND = 0x80;
export const FIS_INTERRUPT = 0x40;
export const FIS_TO_HOST = 0x20;
export const CONTROL_SOFT_RESET = 0x04;

/** Commands of SATA disks beside those of parallel ones (ATA8-ACS, 7). */
export const enum SataCommand {
  DataSetManagement = 0x06,
  ReadLogExt = 0x2f,
  ReadLogDmaExt = 0x47,
  ReadFpdmaQueued = 0x60,
  WriteFpdmaQueued = 0x61,
}
export const TRIM = 1;
/** 512-byte blocks of ranges that one TRIM may have; each holds 64 ranges of at most 65535 sectors. */
export const MAX_TRIM_BLOCKS = 8;
export const LOG_DIRECTORY = 0x00;
export const LOG_QUEUE_ERROR = 0x10;

/** Bytes of a queued command that are in the host's memory at once. */
export const QUEUED_CHUNK = 0x4_0000;
