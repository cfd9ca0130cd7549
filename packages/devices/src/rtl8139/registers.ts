// SPDX-License-Identifier: Apache-2.0
/** Realtek RTL8139C+ (data sheet 1.6, section 5 "Register Descriptions"). */
export const REALTEK_VENDOR = 0x10ec;
export const DEVICE_RTL8139 = 0x8139;
/** From 20h on a card has C+ mode. */
export const REVISION = 0x20;
export const ETHERNET_CLASS = 0x02_0000;
export const REGISTER_BYTES = 256;

export const enum Reg {
  Address = 0x00,
  MulticastTable = 0x08,
  TransmitStatus = 0x10,
  TallyAddress = 0x10,
  TransmitAddress = 0x20,
  NormalRing = 0x20,
  HighRing = 0x28,
  ReceiveBuffer = 0x30,
  Command = 0x37,
  ReadPointer = 0x38,
  WritePointer = 0x3a,
  InterruptMask = 0x3c,
  InterruptStatus = 0x3e,
  TransmitConfig = 0x40,
  ReceiveConfig = 0x44,
  TimerCount = 0x48,
  Missed = 0x4c,
  EepromCommand = 0x50,
  Config1 = 0x52,
  TimerInterrupt = 0x54,
  MediaStatus = 0x58,
  Config3 = 0x59,
  Config4 = 0x5a,
  MultipleInterrupt = 0x5c,
  TransmitSummary = 0x60,
  PhyControl = 0x62,
  PhyStatus = 0x64,
  Advertisement = 0x66,
  LinkPartner = 0x68,
  Expansion = 0x6a,
  NwayTest = 0x70,
  PhyParameters = 0x78,
  Config5 = 0xd8,
  Poll = 0xd9,
  PlusCommand = 0xe0,
  ReceiveRing = 0xe4,
  EarlyTransmit = 0xec,
}

export const enum Command {
  BufferEmpty = 0x01,
  TransmitEnable = 0x04,
  ReceiveEnable = 0x08,
  Reset = 0x10,
  Writable = 0x0c,
}

export const enum Cause {
  ReceiveOk = 0x0001,
  TransmitOk = 0x0004,
  TransmitError = 0x0008,
  /** Also: no receive descriptor. */
  ReceiveOverflow = 0x0010,
  NoTransmitDescriptor = 0x0080,
  Software = 0x0100,
  Timer = 0x4000,
}
export const CAUSES = 0xe1ff;

export const DESCRIPTORS = 4;
/** Transmit status of a descriptor. */
export const enum TransmitStatus {
  Size = 0x1fff,
  /** The card has given the descriptor back. */
  Own = 0x2000,
  Ok = 0x8000,
  Aborted = 0x4000_0000,
}

/** What a version of the chip says in its transmit configuration: this one is a C+. */
export const CHIP_VERSION = 0x7480_0000;
export const TRANSMIT_CONFIG_WRITABLE = 0x0307_07f1;
export const LOOPBACK = 0x0006_0000;

export const enum ReceiveConfig {
  All = 0x01,
  Own = 0x02,
  Multicast = 0x04,
  Broadcast = 0x08,
  /** A frame may run on behind the end of the ring. */
  NoWrap = 0x80,
  LengthShift = 11,
}
export const RING_UNIT = 8192;
export const RING_SLACK = 16;

/** Status in front of a received frame. */
export const enum FrameStatus {
  Ok = 0x0001,
  Broadcast = 0x2000,
  Own = 0x4000,
  Multicast = 0x8000,
}

export const enum Eeprom {
  DataOut = 0x01,
  DataIn = 0x02,
  Clock = 0x04,
  Select = 0x08,
  ModeMask = 0xc0,
  Program = 0x80,
  AutoLoad = 0x40,
}

export const enum Poll {
  Software = 0x01,
  Normal = 0x40,
  High = 0x80,
}

export const enum PlusCommand {
  Transmit = 0x01,
  Receive = 0x02,
  StripVlan = 0x40,
}

export const DESCRIPTOR_BYTES = 16;
/** First dword of a C+ descriptor. */
export const enum Descriptor {
  Own = 0x8000_0000,
  EndOfRing = 0x4000_0000,
  First = 0x2000_0000,
  Last = 0x1000_0000,
  LargeSend = 0x0800_0000,
  SegmentShift = 16,
  SegmentMask = 0x7ff,
  IpChecksum = 0x0004_0000,
  UdpChecksum = 0x0002_0000,
  TcpChecksum = 0x0001_0000,
  TransmitLength = 0xffff,
  ReceiveLength = 0x1fff,
  ReceivedMulticast = 0x0800_0000,
  ReceivedOwn = 0x0400_0000,
  ReceivedBroadcast = 0x0200_0000,
}
export const RING_DESCRIPTORS = 64;

/** Second dword: the tag that is to be put in, or was taken off. */
export const INSERT_TAG = 0x2_0000;
export const TAG_TAKEN = 0x1_0000;

export const TALLY_COMMAND = 0x08;
export const TALLY_BYTES = 64;

/** The timer counts clocks of the PCI bus. */
export const TIMER_NS = 1e9 / 33_333_333;
/** Shortest time to a timer interrupt, so that no guest can keep the host in them. */
export const MIN_TIMER_NS = 20_000;
/** Time after which the card looks again for receive descriptors. */
export const RETRY_NS = 1_000_000;

export const MIN_FRAME = 14;
export const PADDED_FRAME = 60;
export const CRC_SIZE = 4;
export const MAX_RECEIVED = 4096;
/** The most that descriptors of a large send gather. */
export const MAX_GATHERED = 0x1_0040;

/** Registers that keep what is written into them, byte ranges with the bits that do. */
export const WRITABLE_RANGES: readonly (readonly [start: number, length: number, mask: number])[] = [
  [Reg.Address, 6, 0xff],
  [Reg.MulticastTable, 8, 0xff],
  [Reg.TransmitAddress, 16, 0xff],
  [Reg.ReceiveBuffer, 4, 0xff],
  [Reg.ReadPointer, 2, 0xff],
  [Reg.ReceiveConfig, 4, 0xff],
  [Reg.TimerInterrupt, 4, 0xff],
  [Reg.MediaStatus, 1, 0xc0],
  [Reg.MultipleInterrupt, 2, 0xff],
  [Reg.Advertisement, 2, 0xff],
  [Reg.NwayTest, 2, 0xff],
  [Reg.PhyParameters, 8, 0xff],
  [Reg.ReceiveRing, 8, 0xff],
  [Reg.EarlyTransmit, 1, 0x3f],
];
/** Those that the EEPROM's command register has to unlock. */
export const LOCKED_RANGES: readonly (readonly [start: number, length: number, mask: number])[] = [
  [Reg.Config1, 1, 0xf3],
  [Reg.Config3, 1, 0x66],
  [Reg.Config4, 1, 0xdf],
  [Reg.Config5, 1, 0x7b],
];
export const RESET_VALUES: readonly (readonly [register: number, size: 1 | 2 | 4, value: number])[] = [
  [Reg.Config1, 1, 0x0c],
  [Reg.Config3, 1, 0x01],
  [Reg.MediaStatus, 1, 0x10],
  [Reg.ReadPointer, 2, 0xfff0],
  [Reg.PhyControl, 2, 0x1000],
  // 100 and 10 Mbit/s, both duplexes, negotiated, link.
  [Reg.PhyStatus, 2, 0x782d],
  [Reg.Advertisement, 2, 0x05e1],
  [Reg.LinkPartner, 2, 0x45e1],
  [Reg.Expansion, 2, 0x0001],
];
export const PHY_CONTROL_WRITABLE = 0x3100;
