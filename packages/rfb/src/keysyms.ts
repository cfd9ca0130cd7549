// SPDX-License-Identifier: Apache-2.0
// X11 key symbols as keys of a US keyboard: scan codes of set 1, with 0xE000 for those that begin with E0.

const ROWS: readonly (readonly [plain: string, shifted: string, first: number])[] = [
  ["1234567890-=", "!@#$%^&*()_+", 0x02],
  ["qwertyuiop[]", "QWERTYUIOP{}", 0x10],
  ["asdfghjkl;'`", 'ASDFGHJKL:"~', 0x1e],
  ["\\zxcvbnm,./", "|ZXCVBNM<>?", 0x2b],
  [" ", " ", 0x39],
];

const NAMED: readonly (readonly [keysym: number, code: number])[] = [
  [0xff08, 0x0e], // BackSpace
  [0xff09, 0x0f], // Tab
  [0xfe20, 0x0f], // ISO_Left_Tab
  [0xff0d, 0x1c], // Return
  [0xff13, 0xe11d], // Pause
  [0xff14, 0x46], // Scroll_Lock
  [0xff1b, 0x01], // Escape
  [0xff50, 0xe047], // Home
  [0xff51, 0xe04b], // Left
  [0xff52, 0xe048], // Up
  [0xff53, 0xe04d], // Right
  [0xff54, 0xe050], // Down
  [0xff55, 0xe049], // Page_Up
  [0xff56, 0xe051], // Page_Down
  [0xff57, 0xe04f], // End
  [0xff61, 0xe037], // Print
  [0xff63, 0xe052], // Insert
  [0xff67, 0xe05d], // Menu
  [0xff7f, 0x45], // Num_Lock
  [0xff8d, 0xe01c], // KP_Enter
  [0xffaa, 0x37], // KP_Multiply
  [0xffab, 0x4e], // KP_Add
  [0xffad, 0x4a], // KP_Subtract
  [0xffae, 0x53], // KP_Decimal
  [0xffaf, 0xe035], // KP_Divide
  [0xffc8, 0x57], // F11
  [0xffc9, 0x58], // F12
  [0xffe1, 0x2a], // Shift_L
  [0xffe2, 0x36], // Shift_R
  [0xffe3, 0x1d], // Control_L
  [0xffe4, 0xe01d], // Control_R
  [0xffe5, 0x3a], // Caps_Lock
  [0xffe7, 0xe05b], // Meta_L
  [0xffe8, 0xe05c], // Meta_R
  [0xffe9, 0x38], // Alt_L
  [0xffea, 0xe038], // Alt_R
  [0xffeb, 0xe05b], // Super_L
  [0xffec, 0xe05c], // Super_R
  [0xfe03, 0xe038], // ISO_Level3_Shift
  [0xffff, 0xe053], // Delete
];
/** KP_0 to KP_9, and what they are without Num Lock: KP_Home (0xff95) to KP_Delete (0xff9f). */
const DIGITS = [0x52, 0x4f, 0x50, 0x51, 0x4b, 0x4c, 0x4d, 0x47, 0x48, 0x49];
const KEYPAD = [0x47, 0x4b, 0x48, 0x4d, 0x50, 0x49, 0x51, 0x4f, 0x4c, 0x52, 0x53];
const F1 = 0xffbe;
const F1_CODE = 0x3b;

const CODES = new Map<number, number>([
  ...ROWS.flatMap(([plain, shifted, first]) =>
    [plain, shifted].flatMap((row) => [...row].map((char, i) => [char.charCodeAt(0), first + i] as const)),
  ),
  ...DIGITS.map((code, i) => [0xffb0 + i, code] as const),
  ...KEYPAD.map((code, i) => [0xff95 + i, code] as const),
  ...Array.from({ length: 10 }, (_, i) => [F1 + i, F1_CODE + i] as const),
  ...NAMED,
]);

/** The key that a symbol is on, or null if there is none. */
export function scanCodeOf(keysym: number): number | null {
  return CODES.get(keysym) ?? null;
}

/** The key of a QEMU extended key event: scan codes of set 1 with bit 7 for those that begin with E0. */
export function scanCodeOfExtended(code: number): number | null {
  if (code === 0xc6) return 0xe11d;
  if (code < 1 || code > 0xff) return null;
  return code < 0x80 ? code : 0xe000 | (code & 0x7f);
}
