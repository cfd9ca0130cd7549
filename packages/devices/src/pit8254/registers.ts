// SPDX-License-Identifier: Apache-2.0
/** Control words of the Intel 8254 (data sheet 231164, "Programming the 8254") and port 0x61 of a PC. */
export const PIT_HZ = 1_193_182;

export const enum Port {
  Channel0 = 0,
  Channel2 = 2,
  Control = 3,
}

/** Control word. */
export const enum Control {
  ChannelShift = 6,
  /** Channel code of the read-back command. */
  ReadBack = 3,
  AccessShift = 4,
  ModeShift = 1,
  Bcd = 0x01,
}

/** Read/write codes of the control word. */
export const enum Access {
  Latch = 0,
  Low = 1,
  High = 2,
  Both = 3,
}

/** Read-back command: the two latch bits are active low. */
export const enum ReadBack {
  NoCount = 0x20,
  NoStatus = 0x10,
}

export const enum Status {
  Out = 0x80,
  NullCount = 0x40,
}

/** Port 0x61, "NMI status and control" (82371SB data sheet). */
export const enum Port61 {
  Gate2 = 0x01,
  Speaker = 0x02,
  Writable = 0x0f,
  /** Toggles at each DRAM refresh request, every 15.085 us. */
  Refresh = 0x10,
  Out2 = 0x20,
}

export const REFRESH_PERIOD_NS = 15_085;
/** Shortest time between two timer callbacks, so that no guest can keep the host in them. */
export const MIN_PERIOD_NS = 50_000;
