// SPDX-License-Identifier: Apache-2.0
// Keys as the boards of PCs number them (scan code set 1) and as USB does (HID Usage Tables 1.12, section 10, page 7).

/** Usages for the codes 0x00 to 0x7F. Zero: no key. */
const PLAIN =
  "00 29 1e 1f 20 21 22 23 24 25 26 27 2d 2e 2a 2b 14 1a 08 15 17 1c 18 0c 12 13 2f 30 28 e0 04 16 " +
  "07 09 0a 0b 0d 0e 0f 33 34 35 e1 31 1d 1b 06 19 05 11 10 36 37 38 e5 55 e2 2c 39 3a 3b 3c 3d 3e " +
  "3f 40 41 42 43 53 47 5f 60 61 56 5c 5d 5e 57 59 5a 5b 62 63 46 00 64 44 45 67 00 00 00 00 00 00 " +
  "00 00 00 00 68 69 6a 6b 6c 6d 6e 6f 70 71 72 00 88 00 00 87 00 00 73 93 92 8a 00 8b 00 89 85 00";

/** Code after E0, and usage. */
const EXTENDED: readonly (readonly [code: number, usage: number])[] = [
  [0x1c, 0x58], // Enter of the keypad
  [0x1d, 0xe4], // right Control
  [0x20, 0x7f], // mute
  [0x2e, 0x81], // volume down
  [0x30, 0x80], // volume up
  [0x35, 0x54], // slash of the keypad
  [0x37, 0x46], // Print Screen
  [0x38, 0xe6], // right Alt
  [0x46, 0x48], // Break
  [0x47, 0x4a], // Home
  [0x48, 0x52], // up
  [0x49, 0x4b], // Page Up
  [0x4b, 0x50], // left
  [0x4d, 0x4f], // right
  [0x4f, 0x4d], // End
  [0x50, 0x51], // down
  [0x51, 0x4e], // Page Down
  [0x52, 0x49], // Insert
  [0x53, 0x4c], // Delete
  [0x5b, 0xe3], // left GUI
  [0x5c, 0xe7], // right GUI
  [0x5d, 0x65], // menu
  [0x5e, 0x66], // power
];

const PLAIN_USAGES = Uint8Array.from(PLAIN.split(" "), (usage) => parseInt(usage, 16));
const EXTENDED_USAGES = new Map(EXTENDED);
const PAUSE_KEY = 0xe11d;
const PAUSE_USAGE = 0x48;

/** Usages from here on are the eight keys that change others, in the order of their bits in a report. */
export const FIRST_MODIFIER = 0xe0;

/**
 * The usage of a key, or 0 if USB has none for it.
 * @param key code of set 1, with 0xE000 added for keys with the prefix E0; or 0xE11D, the Pause key
 */
export function usageOf(key: number): number {
  if (key === PAUSE_KEY) return PAUSE_USAGE;
  if (key >> 8 === 0xe0) return EXTENDED_USAGES.get(key & 0x7f) ?? 0;
  return PLAIN_USAGES[key & 0x7f];
}
