// SPDX-License-Identifier: Apache-2.0

const TWO32 = 2 ** 32;

/** A 64-bit number, most significant byte first. Above 2^53 it is not exact, but still too large for any range check. */
export function getU64(view: DataView, at: number): number {
  return view.getUint32(at) * TWO32 + view.getUint32(at + 4);
}

/** Stores `value`, an integer below 2^53, most significant byte first. */
export function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / TWO32));
  view.setUint32(at + 4, value % TWO32);
}

/** As `getU64`, least significant byte first. */
export function getU64LE(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * TWO32 + view.getUint32(at, true);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function divideUp(value: number, by: number): number {
  return Math.ceil(value / by);
}

export function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
