// SPDX-License-Identifier: Apache-2.0
/** The first parallel port of a PC. */
export const PARALLEL_PORT = 0x378;
export const PARALLEL_PORTS = 3;
export const PARALLEL_IRQ = 7;

export const enum Port {
  Data = 0,
  Status = 1,
  Control = 2,
}

/** Pins of the printer as the port shows them; some are low when they mean it. */
export const enum Status {
  /** No interrupt is pending. */
  InterruptOff = 0x04,
  NoError = 0x08,
  Selected = 0x10,
  AcknowledgeOff = 0x40,
  Ready = 0x80,
  /** Bits without a pin read as ones. */
  Unused = 0x03,
}

export const enum Control {
  Strobe = 0x01,
  /** Low resets the printer. */
  InitOff = 0x04,
  Select = 0x08,
  InterruptEnable = 0x10,
  Writable = 0x1f,
  Unused = 0xe0,
}
