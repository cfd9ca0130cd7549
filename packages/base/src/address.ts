// SPDX-License-Identifier: Apache-2.0
/**
 * Branded addresses. A guest-physical address fits a JavaScript number (at most 52 bits); a guest-virtual one does
 * not and stays inside WebAssembly as an i64, so it has no type here. Arithmetic on a branded address yields a plain
 * number on purpose: only the helpers of this file turn it back into an address.
 */
declare const gpaBrand: unique symbol;

/** Guest-physical address, in bytes. */
export type Gpa = number & { readonly [gpaBrand]: true };

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;
export const PAGE_MASK = PAGE_SIZE - 1;

/** Takes a number that is known to be a guest-physical address. */
export function gpa(value: number): Gpa {
  return value as Gpa;
}

/** `address` moved by `bytes`. */
export function gpaAdd(address: Gpa, bytes: number): Gpa {
  return (address + bytes) as Gpa;
}

/** Number of the 4 KiB frame that holds `address`. */
export function frameOf(address: Gpa): number {
  return Math.floor(address / PAGE_SIZE);
}

/** Offset of `address` inside its 4 KiB frame. */
export function offsetInPage(address: Gpa): number {
  return address % PAGE_SIZE;
}
