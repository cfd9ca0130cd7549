// SPDX-License-Identifier: Apache-2.0
import type { PciIdentity } from "../pci/function.js";

/** The PCI-to-ISA bridge of the PIIX3 (Intel 82371SB data sheet, order number 290550, chapter 2.2). */
export const PIIX3_ISA_IDENTITY: PciIdentity = {
  vendorId: 0x8086,
  deviceId: 0x7000,
  revision: 0,
  classCode: 0x06_0100,
  subsystemVendorId: 0x1af4,
  subsystemId: 0x1100,
  multifunction: true,
};

/** Configuration registers beyond the header. */
export const enum Register {
  IsaRecovery = 0x4c,
  /** X-bus chip select: BIOS write protection, keyboard controller, RTC. */
  XBusChipSelect = 0x4e,
  /** PIRQA-PIRQD route control. */
  PirqRoute = 0x60,
  TopOfMemory = 0x69,
  Miscellaneous = 0x6a,
  SmiControl = 0xa0,
}

export const PIRQ_COUNT = 4;

/** PIRQ route control. */
export const enum Route {
  Irq = 0x0f,
  Disabled = 0x80,
  Writable = 0x8f,
}

/** ISA interrupts that a PIRQ can be routed to: not 0, 1, 2, 8 and 13 (2.2.7). */
export const ROUTABLE_IRQS = 0xdef8;
