// SPDX-License-Identifier: Apache-2.0

/** UTF-8 bytes of `text`; a lone surrogate becomes U+FFFD. The kernel packages have no TextEncoder. */
export function utf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    const code = point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
    else if (code < 0x1_0000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    else
      bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 0x3f), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
  }
  return Uint8Array.from(bytes);
}

/** `text` as UTF-8 with a zero byte behind it. */
export function cString(text: string): Uint8Array {
  const bytes = utf8(text);
  const terminated = new Uint8Array(bytes.length + 1);
  terminated.set(bytes);
  return terminated;
}

/** Characters of `bytes` taken as Latin-1, for signatures in file headers. */
export function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
