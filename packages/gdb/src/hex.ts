// SPDX-License-Identifier: Apache-2.0

/** Two lower-case digits a byte. */
export function hexOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** The bytes that pairs of digits stand for; null if they are not. */
export function bytesOfHex(text: string): Uint8Array | null {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return null;
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/** A number of up to 64 bits without a prefix; null if that is not what the text is. */
export function parseHex(text: string): bigint | null {
  return /^[0-9a-f]{1,16}$/i.test(text) ? BigInt(`0x${text}`) : null;
}

/** The same for numbers that count something: at most 32 bits. */
export function parseSmallHex(text: string): number | null {
  return /^0*[0-9a-f]{1,8}$/i.test(text) ? parseInt(text, 16) : null;
}

/** Characters 0-255 as bytes. */
export function bytesOfText(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length }, (_, i) => text.charCodeAt(i) & 0xff);
}

/** Bytes as characters 0-255. */
export function textOfBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
