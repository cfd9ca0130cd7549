// SPDX-License-Identifier: Apache-2.0
/** Registers of the Intel 82093AA I/O APIC (data sheet, section 3) with the EOI register of later versions. */
export const enum Mmio {
  /** Selects the register behind `Window`. */
  Select = 0x00,
  Window = 0x10,
  /** Version 0x20 and later: ends the vector that is written. */
  Eoi = 0x40,
}

export const enum Index {
  Id = 0x00,
  Version = 0x01,
  Arbitration = 0x02,
  /** Two registers for each pin follow, low half first. */
  Redirection = 0x10,
}

export const IOAPIC_DEFAULT_BASE = 0xfec0_0000;
export const IOAPIC_MMIO_SIZE = 0x1000;
export const IOAPIC_PINS = 24;
/** Version 0x20; bits 23:16 hold the highest entry. */
export const IOAPIC_VERSION = 0x20 | ((IOAPIC_PINS - 1) << 16);

/** Low half of a redirection entry (3.2.4); the destination is in bits 31:24 of the high half. */
export const enum Redirection {
  Vector = 0xff,
  ModeShift = 8,
  Logical = 1 << 11,
  RemoteIrr = 1 << 14,
  Level = 1 << 15,
  Masked = 1 << 16,
  /** Delivery status and remote IRR are read-only. */
  Writable = 0x1_afff,
}
