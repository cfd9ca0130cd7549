// SPDX-License-Identifier: Apache-2.0

/**
 * Scan codes of set 2 for those of set 1, 0x00-0x7F (IBM PS/2 Technical Reference, "Keyboards", scan code tables). Zero:
 * no key.
 */
const SET_2 =
  "00 76 16 1e 26 25 2e 36 3d 3e 46 45 4e 55 66 0d 15 1d 24 2d 2c 35 3c 43 44 4d 54 5b 5a 14 1c 1b " +
  "23 2b 34 33 3b 42 4b 4c 52 0e 12 5d 1a 22 21 2a 32 31 3a 41 49 4a 59 7c 11 29 58 05 06 04 0c 03 " +
  "0b 83 0a 01 09 77 7e 6c 75 7d 7b 6b 73 74 79 69 72 7a 70 71 84 60 61 78 07 0f 17 1f 27 2f 37 3f " +
  "47 4f 56 5e 08 10 18 20 28 30 38 40 48 50 57 6f 13 19 39 51 53 5c 5f 62 63 64 65 67 68 6a 6d 6e";

const TO_SET_2 = Uint8Array.from(SET_2.split(" "), (code) => parseInt(code, 16));
const TO_SET_1 = new Uint8Array(256);
TO_SET_2.forEach((set2, set1) => {
  if (set2 !== 0) TO_SET_1[set2] = set1;
});

/** Before the code of a key that was let go, in set 2. */
export const BREAK = 0xf0;
export const EXTENDED = 0xe0;
const PAUSE_PREFIX = 0xe1;
const RELEASED = 0x80;

/** The Pause key is one long code, and none when it is let go. */
export const PAUSE_KEY = 0xe11d;
const PAUSE_SET_1 = [0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5];
const PAUSE_SET_2 = [0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77];

/**
 * Bytes that a keyboard sends for a key.
 * @param key code of set 1, with 0xE000 added for keys with the prefix E0; or {@link PAUSE_KEY}
 * @param set 1 or 2
 */
export function scanCodesOf(key: number, pressed: boolean, set: number): readonly number[] {
  if (key === PAUSE_KEY) {
    if (!pressed) return [];
    return set === 1 ? PAUSE_SET_1 : PAUSE_SET_2;
  }
  const code = key & 0x7f;
  const prefix = key >> 8 === EXTENDED ? [EXTENDED] : [];
  if (set === 1) return [...prefix, pressed ? code : code | RELEASED];
  const set2 = TO_SET_2[code];
  if (set2 === 0) return [];
  return pressed ? [...prefix, set2] : [...prefix, BREAK, set2];
}

/** What the controller's translation makes of a byte of set 2 that is no break prefix. */
export function translate(byte: number, released: boolean): number {
  if (byte === EXTENDED || byte === PAUSE_PREFIX) return byte;
  const code = TO_SET_1[byte];
  // Bytes that are no scan codes, such as answers to commands, pass unchanged.
  if (code === 0) return byte;
  return released ? code | RELEASED : code;
}
