// SPDX-License-Identifier: Apache-2.0
/** Registers of the National Semiconductor PC16550D (data sheet, section 8). Offsets from the base port. */
export const enum Reg {
  /** Receive buffer (read), transmit holding (write), divisor low when LCR.DLAB. */
  Data = 0,
  /** Interrupt enable, divisor high when LCR.DLAB. */
  Ier = 1,
  /** Interrupt identification (read), FIFO control (write). */
  IirFcr = 2,
  Lcr = 3,
  Mcr = 4,
  Lsr = 5,
  Msr = 6,
  Scratch = 7,
}

/** Interrupt enable register; the upper four bits read as zero (8.6). */
export const enum Ier {
  ReceivedData = 0x01,
  TransmitEmpty = 0x02,
  LineStatus = 0x04,
  ModemStatus = 0x08,
  Writable = 0x0f,
}

/** Interrupt identification (8.7, table IV), highest priority first. */
export const enum Iir {
  LineStatus = 0x06,
  ReceivedData = 0x04,
  CharacterTimeout = 0x0c,
  TransmitEmpty = 0x02,
  ModemStatus = 0x00,
  None = 0x01,
  FifosEnabled = 0xc0,
}

/** FIFO control register (8.5). */
export const enum Fcr {
  Enable = 0x01,
  ClearReceive = 0x02,
  ClearTransmit = 0x04,
  DmaMode = 0x08,
  TriggerShift = 6,
  /** Bits that are kept. */
  Stored = 0xc9,
}

/** Line control register (8.1). */
export const enum Lcr {
  WordLength = 0x03,
  StopBits = 0x04,
  ParityEnable = 0x08,
  Break = 0x40,
  DivisorLatch = 0x80,
}

/** Modem control register (8.8). */
export const enum Mcr {
  Dtr = 0x01,
  Rts = 0x02,
  Out1 = 0x04,
  Out2 = 0x08,
  Loop = 0x10,
  Writable = 0x1f,
}

/** Line status register (8.4). */
export const enum Lsr {
  DataReady = 0x01,
  Overrun = 0x02,
  Parity = 0x04,
  Framing = 0x08,
  Break = 0x10,
  TransmitHoldingEmpty = 0x20,
  TransmitterEmpty = 0x40,
  Errors = 0x1e,
}

/** Modem status register (8.9): the lower half holds what changed since the last read. */
export const enum Msr {
  DeltaCts = 0x01,
  DeltaDsr = 0x02,
  TrailingRi = 0x04,
  DeltaDcd = 0x08,
  Deltas = 0x0f,
  Cts = 0x10,
  Dsr = 0x20,
  Ri = 0x40,
  Dcd = 0x80,
}

export const FIFO_DEPTH = 16;
/** Receive trigger levels by FCR bits 7:6 (8.5). */
export const TRIGGER_LEVELS = [1, 4, 8, 14] as const;
/** Reference clock of a PC's UART; a divisor of 1 gives 115 200 baud. */
export const UART_CLOCK_HZ = 1_843_200;
