// SPDX-License-Identifier: Apache-2.0
/** Socket device (VIRTIO 1.2, section 5.10). */
export const VSOCK_TYPE = 19;
/** PCI class: communication controller, other. */
export const VSOCK_CLASS = 0x07_8000;

export const enum Queue {
  Receive = 0,
  Transmit = 1,
  Event = 2,
}

export const QUEUE_SIZES: readonly number[] = [128, 128, 16];

/** The address of the host (5.10.4). 0, 1 and 2 are no guest's, and neither is all ones. */
export const HOST_CID = 2;
export const MIN_GUEST_CID = 3;
export const MAX_GUEST_CID = 0xffff_fffe;

/** The only field of the configuration: the guest's address, 64 bits of which the high half is zero. */
export const CONFIG_LENGTH = 8;

/** Event: connections are lost, as after a migration (5.10.6.7). */
export const EVENT_TRANSPORT_RESET = 0;
export const EVENT_SIZE = 4;

export const enum SocketType {
  Stream = 1,
}

/** Operations (5.10.6). */
export const enum Op {
  Request = 1,
  Response = 2,
  Reset = 3,
  Shutdown = 4,
  Data = 5,
  CreditUpdate = 6,
  CreditRequest = 7,
}

/** Flags of a shutdown (5.10.6.1): the sender of it will not receive, or not send, any more. */
export const enum ShutdownFlag {
  Receive = 1,
  Send = 2,
  Both = 3,
}

/** Offsets in a packet's header (5.10.6); all fields are little-endian. */
export const enum Header {
  SourceCid = 0,
  DestinationCid = 8,
  SourcePort = 16,
  DestinationPort = 20,
  Length = 24,
  Type = 28,
  Op = 30,
  Flags = 32,
  BufAlloc = 36,
  FwdCnt = 40,
  Size = 44,
}

/** What the guest may have under way to the host in one stream. */
export const RECEIVE_BUFFER = 1 << 18;
/** What the host may have waiting for the guest in one stream. */
export const SEND_BUFFER = 1 << 18;
/** Most payload in one packet to the guest. */
export const MAX_PAYLOAD = 1 << 16;
/** The guest is told of room again when so much has become free. */
export const CREDIT_STEP = RECEIVE_BUFFER / 4;
export const MAX_STREAMS = 1024;
/** Resets that wait for buffers of the driver; beyond this its own packets wait. */
export const MAX_RESETS = 64;
/** Ports that the host uses for streams that it opens. */
export const FIRST_HOST_PORT = 0x4000_0000;
export const LAST_HOST_PORT = 0x7fff_ffff;
