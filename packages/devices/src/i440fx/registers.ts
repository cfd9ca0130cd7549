// SPDX-License-Identifier: Apache-2.0
import type { PciIdentity } from "../pci/function.js";

/** The host bridge of the 440FX chip set (Intel 82441FX data sheet, order number 290549, chapter 3). */
export const I440FX_IDENTITY: PciIdentity = {
  vendorId: 0x8086,
  deviceId: 0x1237,
  revision: 2,
  classCode: 0x06_0000,
  subsystemVendorId: 0x1af4,
  subsystemId: 0x1100,
};

/** Configuration registers beyond the header. */
export const enum Register {
  /** Programmable attribute map: seven bytes, two areas each. */
  Pam0 = 0x59,
  Smram = 0x72,
}

export const PAM_COUNT = 7;

/** One nibble of an attribute register: reads and writes go to RAM instead of the PCI bus. */
export const enum Pam {
  ReadEnable = 1,
  WriteEnable = 2,
  Writable = 0x33,
}

/** System management RAM control. */
export const enum Smram {
  /** C_BASE_SEG: the only valid segment is 0xA0000. */
  BaseSegment = 0x02,
  Locked = 0x10,
  Open = 0x40,
  Writable = 0x78,
}

export const SMRAM_START = 0xa_0000;
export const SMRAM_LENGTH = 0x2_0000;

/** An area of the first megabyte whose RAM is switched on and off by a nibble of an attribute register. */
export interface PamArea {
  readonly start: number;
  readonly length: number;
  /** Which attribute register, 0-6, and which half of it. */
  readonly register: number;
  readonly shift: 0 | 4;
}

const FIRST_SMALL_AREA = 0xc_0000;
const SMALL_AREA = 0x4000;

/** The areas in ascending order: twelve of 16 KiB, then the 64 KiB of the system BIOS (table 3-6). */
export const PAM_AREAS: readonly PamArea[] = [
  ...Array.from(
    { length: 12 },
    (_, i) =>
      ({
        start: FIRST_SMALL_AREA + i * SMALL_AREA,
        length: SMALL_AREA,
        register: 1 + (i >> 1),
        shift: (i & 1) === 0 ? 0 : 4,
      }) as const,
  ),
  { start: 0xf_0000, length: 0x1_0000, register: 0, shift: 4 },
];
