// SPDX-License-Identifier: Apache-2.0

const VALID = 0;
const ZERO = 1;
const SPECIAL = 2;
const EMPTY = 3;
const MAX_EXPONENT = 0x7fff;

/** Tag of a value of 80 bits (SDM 1, 8.1.7). */
function tagOf(value: Uint8Array): number {
  const view = new DataView(value.buffer, value.byteOffset, 10);
  const significand = view.getBigUint64(0, true);
  const exponent = view.getUint16(8, true) & MAX_EXPONENT;
  if (exponent === 0) return significand === 0n ? ZERO : SPECIAL;
  if (exponent === MAX_EXPONENT) return SPECIAL;
  return significand >> 63n === 0n ? SPECIAL : VALID;
}

/** The tag word with two bits a register out of the abridged one. `values` are the physical registers R0-R7. */
export function fullTags(abridged: number, values: readonly Uint8Array[]): number {
  return values.reduce((word, value, i) => word | (((abridged >> i) & 1 ? tagOf(value) : EMPTY) << (2 * i)), 0);
}

/** The abridged tag byte: only whether a register is empty is kept. */
export function abridgedTags(full: number): number {
  let tags = 0;
  for (let i = 0; i < 8; i++) if (((full >> (2 * i)) & 3) !== EMPTY) tags |= 1 << i;
  return tags;
}
