// SPDX-License-Identifier: Apache-2.0

/** Temperature that the log shows, in kelvin. */
const TEMPERATURE = 303;
const LOG_SIZE = 512;

/** A log page as a whole (5.14.1), or null if there is no such page. */
export function logPage(id: number): Uint8Array | null {
  const bytes = new Uint8Array(LOG_SIZE);
  switch (id) {
    case 1:
      // Errors: none are kept.
      return bytes;
    case 2:
      // Health: no warning, spare blocks left in percent and the threshold of them.
      bytes[1] = TEMPERATURE & 0xff;
      bytes[2] = TEMPERATURE >> 8;
      bytes[3] = 100;
      bytes[4] = 10;
      return bytes;
    case 3:
      // Firmware: slot 1 is active.
      bytes[0] = 1;
      bytes.set([0x31, 0x2e, 0x30, 0x20, 0x20, 0x20, 0x20, 0x20], 8);
      return bytes;
    default:
      return null;
  }
}
