// SPDX-License-Identifier: Apache-2.0

export interface KallsymsOptions {
  /** Where offsets lie: in front of the names, as up to Linux 6.5, or behind the token index. */
  readonly offsets: "first" | "last";
  /** Whether negative offsets count down from the base and others are absolute. */
  readonly absolutePercpu: boolean;
  readonly base: bigint;
}

/** `[type letter, name, address]`. */
export type KallsymsEntry = readonly [type: string, name: string, address: bigint];

const align8 = (value: number): number => Math.ceil(value / 8) * 8;

/** Letters stand for themselves; the other numbers for pieces of words, as the kernel's build finds them. */
function tokenTexts(): string[] {
  return Array.from({ length: 256 }, (_, i) => {
    const letter = String.fromCharCode(i);
    return /[A-Za-z0-9_.$]/.test(letter) ? letter : `w${i}_`;
  });
}

function compress(text: string, tokens: readonly string[]): number[] {
  const numbers: number[] = [];
  for (let at = 0; at < text.length;) {
    const word = tokens.findIndex((token) => token.length > 1 && text.startsWith(token, at));
    const number = word >= 0 ? word : text.charCodeAt(at);
    numbers.push(number);
    at += tokens[number]?.length ?? 1;
  }
  return numbers;
}

/** Memory of `size` bytes with the tables that a Linux kernel has of its symbols, from `at` on. */
export function kallsymsImage(
  entries: readonly KallsymsEntry[],
  { offsets, absolutePercpu, base }: KallsymsOptions,
  at = 0x1000,
  size = 1 << 20,
): Uint8Array {
  const image = new Uint8Array(size);
  const view = new DataView(image.buffer);
  const tokens = tokenTexts();
  let here = at;
  const putOffsets = (): void => {
    entries.forEach(([, , address], i) => {
      const absolute = address >> 63n === 0n;
      const value = absolutePercpu ? (absolute ? address : base - 1n - address) : address - base;
      view.setInt32(here + i * 4, Number(BigInt.asIntN(32, value)), true);
    });
    here = align8(here + entries.length * 4);
    view.setBigUint64(here, base, true);
    here += 8;
  };
  if (offsets === "first") putOffsets();
  view.setUint32(here, entries.length, true);
  here += 8;
  const names = here;
  const markers: number[] = [];
  entries.forEach(([type, name], i) => {
    if (i % 256 === 0) markers.push(here - names);
    const numbers = compress(type + name, tokens);
    if (numbers.length < 0x80) image[here++] = numbers.length;
    else {
      image[here++] = (numbers.length & 0x7f) | 0x80;
      image[here++] = numbers.length >> 7;
    }
    image.set(numbers, here);
    here += numbers.length;
  });
  here = align8(here - names) + names;
  markers.forEach((marker, i) => view.setUint32(here + i * 4, marker, true));
  here = align8(here + markers.length * 4);
  const table = here;
  const index = tokens.map((token) => {
    const start = here - table;
    image.set(new TextEncoder().encode(`${token}\0`), here);
    here += token.length + 1;
    return start;
  });
  here = align8(here);
  index.forEach((start, i) => view.setUint16(here + i * 2, start, true));
  here += 512;
  if (offsets === "last") putOffsets();
  return image;
}
