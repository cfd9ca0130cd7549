// SPDX-License-Identifier: Apache-2.0

/** Text of UTF-8 bytes; bytes that are not UTF-8 are taken as Latin-1. */
export function decodeText(bytes: Uint8Array): string {
  let escaped = "";
  for (const byte of bytes) escaped += `%${byte.toString(16).padStart(2, "0")}`;
  try {
    return decodeURIComponent(escaped);
  } catch {
    return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  }
}

/** UTF-8 bytes of `text`. */
export function encodeText(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const match of encodeURIComponent(wellFormed(text)).matchAll(/%(..)|./g))
    bytes.push(match[1] === undefined ? match[0].charCodeAt(0) : Number.parseInt(match[1], 16));
  return Uint8Array.from(bytes);
}

/** Lone surrogates, which have no UTF-8, become replacement characters. */
function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udfff]/gu, "\ufffd");
}
