// SPDX-License-Identifier: Apache-2.0
/** Console device (VIRTIO 1.2, section 5.3), a single port. */
export const CONSOLE_TYPE = 3;
/** PCI class: communication controller, other. */
export const CONSOLE_CLASS = 0x07_8000;

export const enum ConsoleFeature {
  Size = 0,
  EmergencyWrite = 2,
}

export const enum Queue {
  Receive = 0,
  Transmit = 1,
}

/** Offsets of the device configuration (5.3.4). */
export const enum Config {
  Columns = 0,
  Rows = 2,
  EmergencyWrite = 8,
  Length = 12,
}

export const QUEUE_SIZE = 128;
/** Bytes copied at a time out of a transmit buffer. */
export const CHUNK_BYTES = 1 << 16;
