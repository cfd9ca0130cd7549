// SPDX-License-Identifier: Apache-2.0
import type { PciIdentity } from "../pci/function.js";

/** The IDE function of the PIIX3 (Intel 82371SB data sheet, order number 290550, chapter 2.3). */
export const PIIX3_IDE_IDENTITY: PciIdentity = {
  vendorId: 0x8086,
  deviceId: 0x7010,
  revision: 0,
  // A bus master whose channels are in compatibility mode, at fixed ports.
  classCode: 0x01_0180,
  subsystemVendorId: 0x1af4,
  subsystemId: 0x1100,
  name: "ide",
};

/** Command block, control block and interrupt of each channel. */
export const IDE_CHANNELS = [
  { command: 0x1f0, control: 0x3f6, irq: 14 },
  { command: 0x170, control: 0x376, irq: 15 },
] as const;
export const COMMAND_PORTS = 8;

/**
 * IDE timing registers, 16 bits a channel; bit 15 lets the channel decode its ports. The data sheet has it clear after
 * reset; here it is set, because firmware for virtual boards (OVMF) never sets it and would wait for drives for minutes.
 */
export const IDE_TIMING = 0x40;
export const TIMING_DECODE = 0x8000;
/** Slave timing, Ultra DMA control and timing: stored only. */
export const SLAVE_TIMING = 0x44;

/** Offsets in the command block (ATA/ATAPI-6, chapter 7). */
export const enum Port {
  Data = 0,
  /** Error when read, features when written. */
  Error = 1,
  Count = 2,
  LbaLow = 3,
  LbaMid = 4,
  LbaHigh = 5,
  Device = 6,
  /** Status when read, command when written. */
  Status = 7,
}

export const enum Status {
  Error = 0x01,
  DataRequest = 0x08,
  SeekComplete = 0x10,
  Ready = 0x40,
  Busy = 0x80,
}

export const enum ErrorBit {
  Abort = 0x04,
  IdNotFound = 0x10,
  Uncorrectable = 0x40,
}

/** Device register. */
export const enum Device {
  Head = 0x0f,
  Slave = 0x10,
  Lba = 0x40,
  /** Bits that are always one on the bus. */
  Obsolete = 0xa0,
}

/** Device control register. */
export const enum Control {
  InterruptDisable = 0x02,
  Reset = 0x04,
  /** High order byte: reads show what was written before the last write of a register. */
  HighOrder = 0x80,
}

/** Interrupt reason, in the count register of packet devices. */
export const enum Reason {
  Command = 0x01,
  ToHost = 0x02,
}

export const enum Command {
  Nop = 0x00,
  DeviceReset = 0x08,
  ReadSectors = 0x20,
  ReadSectorsNoRetry = 0x21,
  ReadSectorsExt = 0x24,
  ReadDmaExt = 0x25,
  ReadNativeMaxExt = 0x27,
  ReadMultipleExt = 0x29,
  WriteSectors = 0x30,
  WriteSectorsNoRetry = 0x31,
  WriteSectorsExt = 0x34,
  WriteDmaExt = 0x35,
  WriteMultipleExt = 0x39,
  WriteDmaFuaExt = 0x3d,
  ReadVerify = 0x40,
  ReadVerifyNoRetry = 0x41,
  ReadVerifyExt = 0x42,
  Diagnostic = 0x90,
  InitializeParameters = 0x91,
  Packet = 0xa0,
  IdentifyPacket = 0xa1,
  ReadMultiple = 0xc4,
  WriteMultiple = 0xc5,
  SetMultiple = 0xc6,
  ReadDma = 0xc8,
  ReadDmaNoRetry = 0xc9,
  WriteDma = 0xca,
  WriteDmaNoRetry = 0xcb,
  WriteMultipleFuaExt = 0xce,
  StandbyImmediate = 0xe0,
  IdleImmediate = 0xe1,
  Standby = 0xe2,
  Idle = 0xe3,
  CheckPower = 0xe5,
  Sleep = 0xe6,
  Flush = 0xe7,
  FlushExt = 0xea,
  Identify = 0xec,
  SetFeatures = 0xef,
  ReadNativeMax = 0xf8,
}

/** Subcommands of SET FEATURES. */
export const enum Feature {
  WriteCacheOn = 0x02,
  TransferMode = 0x03,
  LookAheadOff = 0x55,
  KeepDefaults = 0x66,
  WriteCacheOff = 0x82,
  LookAheadOn = 0xaa,
  RevertDefaults = 0xcc,
}

/** Bus master registers of a channel (Programming Interface for Bus Master IDE Controller, 1.0). */
export const enum BusMasterPort {
  Command = 0,
  Status = 2,
  Table = 4,
}
export const BUS_MASTER_PORTS = 8;

export const enum BusMasterCommand {
  Start = 0x01,
  /** The controller writes to memory. */
  ToMemory = 0x08,
}

export const enum BusMasterStatus {
  Active = 0x01,
  Error = 0x02,
  Interrupt = 0x04,
  /** Software says that a drive can do DMA. */
  Capable = 0x60,
}

/** Dwords of a physical region descriptor: address, then length with a flag for the last one. */
export const REGION_SIZE = 8;
export const REGION_LAST = 0x8000_0000;
export const REGION_MAX = 0x1_0000;

export const SECTOR_SIZE = 512;
export const CD_BLOCK_SIZE = 2048;
/** Data of one block of a transfer in a drive's buffer at most. */
export const BUFFER_SIZE = 0x1_0000;
/** Sectors that READ MULTIPLE may move at a time. */
export const MAX_MULTIPLE = 16;
export const PACKET_SIZE = 12;
/** Default translation of disks (ATA-6, 6.2). */
export const HEADS = 16;
export const SECTORS_PER_TRACK = 63;
export const MAX_CYLINDERS = 16_383;
