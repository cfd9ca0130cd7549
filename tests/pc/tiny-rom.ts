// SPDX-License-Identifier: Apache-2.0
const ROM_BYTES = 64 << 10;
const RESET_VECTOR = 0xfff0;

/** A ROM of 64 KiB that runs this real-mode code, at F000:0000, from reset on; `code` may be anywhere. */
export function tinyRom(code: readonly number[]): Uint8Array {
  const rom = new Uint8Array(ROM_BYTES);
  rom.set(code);
  // jmp F000:0000
  rom.set([0xea, 0, 0, 0, 0xf0], RESET_VECTOR);
  return rom;
}

/** Writes AL to the first serial port. */
export const PUT_AL: readonly number[] = [0xba, 0xf8, 0x03, 0xee];
/** Ends the machine with this value at the debug-exit port. */
export const exitWith = (value: number): number[] => [0xb0, value, 0xe6, 0xf4, 0xf4];
