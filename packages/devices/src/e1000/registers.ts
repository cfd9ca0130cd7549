// SPDX-License-Identifier: Apache-2.0
/** Intel 82540EM. Section numbers are those of the PCI/PCI-X Gigabit Ethernet Controllers Software Developer's Manual. */
export const INTEL_VENDOR = 0x8086;
export const DEVICE_82540EM = 0x100e;
export const REVISION = 3;
export const ETHERNET_CLASS = 0x02_0000;
export const SUBSYSTEM = 0x001e;
export const REGISTER_SPACE = 0x2_0000;
export const IO_SPACE = 64;

/** Offsets of registers (13.3). */
export const enum Reg {
  Control = 0x0000,
  Status = 0x0008,
  EepromControl = 0x0010,
  EepromRead = 0x0014,
  ExtendedControl = 0x0018,
  MdiControl = 0x0020,
  VlanType = 0x0038,
  InterruptCause = 0x00c0,
  Throttle = 0x00c4,
  CauseSet = 0x00c8,
  MaskSet = 0x00d0,
  MaskClear = 0x00d8,
  ReceiveControl = 0x0100,
  TransmitControl = 0x0400,
  ReceiveBaseLow = 0x2800,
  ReceiveBaseHigh = 0x2804,
  ReceiveLength = 0x2808,
  ReceiveHead = 0x2810,
  ReceiveTail = 0x2818,
  TransmitBaseLow = 0x3800,
  TransmitBaseHigh = 0x3804,
  TransmitLength = 0x3808,
  TransmitHead = 0x3810,
  TransmitTail = 0x3818,
  MulticastTable = 0x5200,
  ReceiveAddress = 0x5400,
  VlanTable = 0x5600,
}
export const MULTICAST_WORDS = 128;
export const ADDRESS_WORDS = 32;
export const VLAN_WORDS = 128;

/** Registers that hold what was written and otherwise do nothing here: pauses, thresholds, delays, wake-up (13.4). */
export const PLAIN_REGISTERS: readonly number[] = [
  0x0018, 0x0028, 0x002c, 0x0030, 0x0038, 0x00c4, 0x0170, 0x0178, 0x0410, 0x0458, 0x0e00, 0x1000, 0x2160, 0x2168,
  0x2820, 0x2828, 0x282c, 0x2c00, 0x3820, 0x3828, 0x382c, 0x3830, 0x5000, 0x5800, 0x5808, 0x5820,
];

export const enum Control {
  Reset = 1 << 26,
  VlanMode = 1 << 30,
  PhyReset = 1 << 31,
}
/** The throttling register counts in units of 256 ns (13.4.18). */
export const THROTTLE_UNIT = 256;
/** Full duplex, link up, 1000 Mb/s (13.4.2). */
export const STATUS_LINK = 0x83;
export const PACKET_BUFFER = 0x1000;
export const PACKET_BUFFER_DEFAULT = 0x30;
export const VLAN_TYPE_DEFAULT = 0x8100;

/** Interrupt causes (13.4.17). */
export const enum Cause {
  TransmitDone = 1 << 0,
  TransmitEmpty = 1 << 1,
  ReceiveLow = 1 << 4,
  ReceiveTimer = 1 << 7,
  MdiDone = 1 << 9,
}
export const CAUSES = 0x1_ffff;

/** Receive control (13.4.22). */
export const enum Receive {
  Enable = 1 << 1,
  UnicastAll = 1 << 3,
  MulticastAll = 1 << 4,
  LongPackets = 1 << 5,
  ThresholdShift = 8,
  OffsetShift = 12,
  Broadcast = 1 << 15,
  SizeShift = 16,
  VlanFilter = 1 << 18,
  SizeExtension = 1 << 25,
  StripCrc = 1 << 26,
}
/** Transmit control (13.4.33). */
export const TRANSMIT_ENABLE = 2;

export const DESCRIPTOR_SIZE = 16;
/** Command bits of a transmit descriptor, in the uppermost byte of its third dword (3.3.3, 3.3.6, 3.3.7). */
export const enum Command {
  EndOfPacket = 0x01,
  InsertChecksum = 0x04,
  Segmentation = 0x04,
  ReportStatus = 0x08,
  Extended = 0x20,
  VlanInsert = 0x40,
}
/** Options of a data descriptor. */
export const enum Option {
  IpChecksum = 1,
  TransportChecksum = 2,
}
export const STATUS_DONE = 1;
/** Status of a receive descriptor (3.2.3.1). */
export const enum ReceiveStatus {
  Done = 1,
  EndOfPacket = 2,
  IgnoreChecksum = 4,
  Vlan = 8,
}
export const CRC_SIZE = 4;
export const MIN_FRAME = 60;
/** Longest frames: with and without long packets. */
export const MAX_FRAME = 1518;
export const MAX_LONG_FRAME = 16_384;
/** Most bytes that are gathered for one frame of several segments. */
export const MAX_GATHERED = 18 + 65_535 + 255;
export const MAC_SIZE = 6;
