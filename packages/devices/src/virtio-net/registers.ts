// SPDX-License-Identifier: Apache-2.0
/** Network device (VIRTIO 1.2, section 5.1). */
export const NETWORK_TYPE = 1;
/** PCI class: network controller, Ethernet. */
export const NETWORK_CLASS = 0x02_0000;

/** Feature bits (5.1.3). */
export const enum NetFeature {
  Checksum = 0,
  GuestChecksum = 1,
  Mac = 5,
  GuestTso4 = 7,
  GuestTso6 = 8,
  HostTso4 = 11,
  HostTso6 = 12,
  MergeReceiveBuffers = 15,
  Status = 16,
  ControlQueue = 17,
  ControlReceive = 18,
  ControlMac = 23,
}

export const FEATURES: readonly number[] = [
  NetFeature.Checksum,
  NetFeature.GuestChecksum,
  NetFeature.Mac,
  NetFeature.GuestTso4,
  NetFeature.GuestTso6,
  NetFeature.HostTso4,
  NetFeature.HostTso6,
  NetFeature.MergeReceiveBuffers,
  NetFeature.Status,
  NetFeature.ControlQueue,
  NetFeature.ControlReceive,
  NetFeature.ControlMac,
];

export const enum Queue {
  Receive = 0,
  Transmit = 1,
  Control = 2,
}

/** The Linux driver posts one buffer a page in its receive queue: 256 of them hold a few large frames. */
export const QUEUE_SIZES: readonly number[] = [1024, 1024, 64];

export const MAC_SIZE = 6;
/** Device configuration (5.1.4). */
export const enum Config {
  Mac = 0,
  Status = 6,
  Length = 8,
}
export const STATUS_LINK_UP = 1;

/** The header in front of every frame (5.1.6). */
export const enum Header {
  Flags = 0,
  GsoType = 1,
  HeaderLength = 2,
  GsoSize = 4,
  ChecksumStart = 6,
  ChecksumOffset = 8,
  NumBuffers = 10,
  Size = 12,
}
export const FLAG_NEEDS_CHECKSUM = 1;

export const enum GsoType {
  None = 0,
  Tcp4 = 1,
  Tcp6 = 4,
}

/** Ethernet header with a VLAN tag, and the largest IP packet. */
export const MAX_FRAME = 18 + 65_535 + 40;
/** Destination, source, type. */
export const MIN_FRAME = 14;

export const enum EtherType {
  Vlan = 0x8100,
  Ipv6 = 0x86dd,
}
export const VLAN_TAG = 4;
/** Offset of the type in a frame. */
export const ETHER_TYPE = 12;

/** Control commands (5.1.6.5): class, command. */
export const enum ControlClass {
  Receive = 0,
  Mac = 1,
}
export const enum ReceiveCommand {
  Promiscuous = 0,
  AllMulticast = 1,
  AllUnicast = 2,
  NoMulticast = 3,
  NoUnicast = 4,
  NoBroadcast = 5,
}
export const enum MacCommand {
  TableSet = 0,
  AddressSet = 1,
}
export const ACK_OK = 0;
export const ACK_ERROR = 1;
/** Entries of each MAC table; a longer one turns into "all of that kind", as on real cards. */
export const MAX_MAC_ENTRIES = 64;
/** Longest command that is read. */
export const MAX_COMMAND = 2 + 2 * (4 + 1024 * MAC_SIZE);
