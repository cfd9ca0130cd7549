// SPDX-License-Identifier: Apache-2.0
// Keys as the boards of PCs number them (scan code set 1) and as Linux's input layer does, which took over the former.

/** Codes of set 1 up to this one have the same number. */
const LAST_EQUAL = 0x58;
const PAUSE_KEY = 0xe11d;
const PAUSE_CODE = 119;
const SYSTEM_REQUEST = 0x54;

const OTHERS: readonly (readonly [code: number, key: number])[] = [
  [SYSTEM_REQUEST, 99],
  [0x59, 117], // equals sign of the keypad
  [0x70, 93], // Katakana, Hiragana
  [0x73, 89], // Ro
  [0x79, 92], // Henkan
  [0x7b, 94], // Muhenkan
  [0x7d, 124], // Yen
  [0x7e, 121], // comma of the keypad
  [0xe01c, 96], // Enter of the keypad
  [0xe01d, 97], // right Control
  [0xe020, 113], // mute
  [0xe02e, 114], // volume down
  [0xe030, 115], // volume up
  [0xe035, 98], // slash of the keypad
  [0xe037, 99], // Print Screen
  [0xe038, 100], // right Alt
  [0xe046, PAUSE_CODE], // Break
  [0xe047, 102], // Home
  [0xe048, 103], // up
  [0xe049, 104], // Page Up
  [0xe04b, 105], // left
  [0xe04d, 106], // right
  [0xe04f, 107], // End
  [0xe050, 108], // down
  [0xe051, 109], // Page Down
  [0xe052, 110], // Insert
  [0xe053, 111], // Delete
  [0xe05b, 125], // left GUI
  [0xe05c, 126], // right GUI
  [0xe05d, 127], // menu
  [0xe05e, 116], // power
  [PAUSE_KEY, PAUSE_CODE],
];
const KEYS = new Map(OTHERS);

/** Keys that a keyboard of a PC has. */
export const ALL_KEYS: readonly number[] = [
  ...Array.from({ length: LAST_EQUAL }, (_, i) => i + 1).filter((code) => code !== SYSTEM_REQUEST && code !== 0x55),
  ...KEYS.values(),
];

/**
 * The number of a key, or 0 if it has none.
 * @param key code of set 1, with 0xE000 added for keys with the prefix E0; or 0xE11D, the Pause key
 */
export function keyCodeOf(key: number): number {
  return KEYS.get(key) ?? (key > 0 && key <= LAST_EQUAL && ALL_KEYS.includes(key) ? key : 0);
}
