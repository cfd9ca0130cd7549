// SPDX-License-Identifier: Apache-2.0
import { type GuestSymbol, SymbolTable } from "./symbol-table.js";

/** Every kernel has more symbols than the first, and none has more than the second. */
const MIN_SYMBOLS = 1000;
const MAX_SYMBOLS = 1 << 20;
const TOKENS = 256;
/** Symbols between two markers. */
const MARKER_STEP = 256;
/** No name is longer, whatever its compressed form is. */
const MAX_NAME = 512;
/** Places that are looked at as the digits of the tokens, and names that are walked over: a guest may fill its RAM with both. */
const MAX_CANDIDATES = 64;
const MAX_WALK = 20_000_000;
/** The compressed names begin at most this far in front of the tokens that they are made of. */
const MAX_NAMES_SIZE = 16 << 20;

/**
 * The symbols that a Linux kernel carries in its own memory (CONFIG_KALLSYMS), found without knowing where. `image` is
 * memory that holds the kernel's read-only data, in one piece; `known` is the address of a function whose name is
 * `knownName`: tables that do not say so are not believed. Returns null where there is nothing of the kind.
 *
 * What scripts/kallsyms.c lays out in Linux 5.x and 6.x, each part aligned to 8 bytes:
 * ```
 * offsets        i32 a symbol; up to 6.5 here, later behind the token index
 * relative_base  u64
 * num_syms       u32
 * names          a length (one byte, or two with bit 7 of the first set) and that many token numbers, for each symbol
 * markers        u32: offset in names of every 256th symbol
 * ...
 * token_table    256 zero-terminated strings
 * token_index    u16: offset in token_table of each
 * ```
 */
export function findKallsyms(image: Uint8Array, known: bigint, knownName: string): SymbolTable | null {
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  const effort: Effort = { names: MAX_WALK };
  let from = 0;
  for (let candidate = 0; candidate < MAX_CANDIDATES && effort.names > 0; candidate++) {
    const digits = findDigits(image, from);
    if (digits < 0) return null;
    const tokens = readTokens(image, view, digits);
    const table = tokens === null ? null : findNames(image, view, tokens, known, knownName, effort);
    if (table !== null) return table;
    from = digits + 4;
  }
  return null;
}

/** What may still be done before the search gives up. */
interface Effort {
  names: number;
}

interface Tokens {
  readonly texts: readonly string[];
  /** Offsets of the token table, and of what follows the token index. */
  readonly start: number;
  readonly end: number;
}

const align8 = (offset: number): number => Math.ceil(offset / 8) * 8;

/** Offset of the tokens "0" to "9", which stand for themselves and follow each other, or -1. */
function findDigits(image: Uint8Array, from: number): number {
  // A search for one byte is the engine's own; the rest is looked at only where it succeeds.
  for (let at = image.indexOf(0x30, from); at >= 0; at = image.indexOf(0x30, at + 1)) {
    let digit = 1;
    while (digit < 10 && image[at + 2 * digit] === 0x30 + digit && image[at + 2 * digit - 1] === 0) digit++;
    if (digit === 10) return at;
  }
  return -1;
}

/** Where the token in front of the one at `start` begins, or -1. */
function tokenBefore(image: Uint8Array, start: number): number {
  let at = start - 2;
  while (at >= 0 && start - at < MAX_NAME && image[at] !== 0) at--;
  return at >= 0 && image[at] === 0 ? at + 1 : -1;
}

/** The table around those digits, if an index follows that agrees with it. */
function readTokens(image: Uint8Array, view: DataView, digits: number): Tokens | null {
  let second = digits;
  for (let token = 0x30; token > 1; token--) {
    second = tokenBefore(image, second);
    if (second < 0) return null;
  }
  // What lies in front of the first token is another table, so that only alignment tells where it begins.
  for (let start = (second - 2) & ~7; start >= 0 && second - start < MAX_NAME; start -= 8) {
    if (image.subarray(start, second - 1).includes(0)) return null;
    const tokens = tokensFrom(image, view, start);
    if (tokens !== null) return tokens;
  }
  return null;
}

function tokensFrom(image: Uint8Array, view: DataView, start: number): Tokens | null {
  const texts: string[] = [];
  const offsets: number[] = [];
  let at = start;
  for (let token = 0; token < TOKENS; token++) {
    offsets.push(at - start);
    let text = "";
    while (at < image.length && image[at] !== 0 && text.length < MAX_NAME)
      text += String.fromCharCode(image[at++] ?? 0);
    texts.push(text);
    at++;
  }
  const index = align8(at);
  if (index + TOKENS * 2 > image.length) return null;
  const agrees = offsets.every((offset, token) => view.getUint16(index + token * 2, true) === offset);
  return agrees ? { texts, start, end: align8(index + TOKENS * 2) } : null;
}

/** Offsets of the compressed names of `count` symbols from `at` on, and of their end; null if they cannot be that. */
function walkNames(image: Uint8Array, at: number, count: number, limit: number, effort: Effort): Uint32Array | null {
  // Every name takes two bytes at least.
  if (at + count * 2 > limit) return null;
  const offsets = new Uint32Array(count + 1);
  let here = at;
  for (let i = 0; i < count; i++) {
    if (here >= limit || --effort.names < 0) return null;
    offsets[i] = here;
    const first = image[here] ?? 0;
    const long = (first & 0x80) !== 0;
    const length = long ? (first & 0x7f) | ((image[here + 1] ?? 0) << 7) : first;
    if (length === 0) return null;
    here += length + (long ? 2 : 1);
  }
  offsets[count] = here;
  return here <= limit ? offsets : null;
}

/** Whether the markers behind the names say where the names are. */
function markersAgree(view: DataView, names: Uint32Array, count: number): boolean {
  const first = names[0] ?? 0;
  const markers = align8((names[count] ?? 0) - first) + first;
  for (let i = 0; i * MARKER_STEP < count; i++) {
    const at = markers + i * 4;
    if (at + 4 > view.byteLength || view.getUint32(at, true) !== (names[i * MARKER_STEP] ?? 0) - first) return false;
  }
  return true;
}

function findNames(
  image: Uint8Array,
  view: DataView,
  tokens: Tokens,
  known: bigint,
  knownName: string,
  effort: Effort,
): SymbolTable | null {
  const lowest = Math.max(8, tokens.start - MAX_NAMES_SIZE);
  for (let at = align8(lowest); at + 16 < tokens.start && effort.names > 0; at += 8) {
    const count = view.getUint32(at, true);
    if (count < MIN_SYMBOLS || count > MAX_SYMBOLS || view.getUint32(at + 4, true) !== 0) continue;
    const names = walkNames(image, at + 8, count, tokens.start, effort);
    if (names === null || !markersAgree(view, names, count)) continue;
    const table = readSymbols(image, view, tokens, at, names, count, known, knownName);
    if (table !== null) return table;
  }
  return null;
}

/** The name of a symbol: its type as the first letter. */
function nameAt(image: Uint8Array, tokens: Tokens, at: number, end: number): string {
  let text = "";
  const start = ((image[at] ?? 0) & 0x80) !== 0 ? at + 2 : at + 1;
  for (let i = start; i < end && text.length < MAX_NAME; i++) text += tokens.texts[image[i] ?? 0] ?? "";
  return text;
}

function readSymbols(
  image: Uint8Array,
  view: DataView,
  tokens: Tokens,
  header: number,
  names: Uint32Array,
  count: number,
  known: bigint,
  knownName: string,
): SymbolTable | null {
  const texts = Array.from({ length: count }, (_, i) => nameAt(image, tokens, names[i] ?? 0, names[i + 1] ?? 0));
  const size = align8(count * 4);
  const layouts = [
    { offsets: header - 8 - size, base: header - 8 },
    { offsets: tokens.end, base: tokens.end + size },
  ];
  for (const { offsets, base } of layouts) {
    if (offsets < 0 || base + 8 > image.length) continue;
    const relativeBase = view.getBigUint64(base, true);
    for (const absolutePercpu of [true, false]) {
      // With per-CPU symbols in the table, negative offsets count down from the base, and others are absolute.
      const addressOf = (i: number): bigint => {
        const offset = view.getInt32(offsets + i * 4, true);
        if (!absolutePercpu) return BigInt.asUintN(64, relativeBase + BigInt(offset >>> 0));
        return offset < 0 ? BigInt.asUintN(64, relativeBase - 1n - BigInt(offset)) : BigInt(offset);
      };
      const at = texts.findIndex((text) => text.slice(1) === knownName);
      if (at < 0 || addressOf(at) !== known) continue;
      return new SymbolTable(texts.flatMap((text, i) => symbolOf(text, addressOf(i))));
    }
  }
  return null;
}

/** Kernel addresses are in the upper half; absolute symbols, which are not, name no code. */
function symbolOf(text: string, address: bigint): GuestSymbol[] {
  if (address >> 63n === 0n) return [];
  return [{ address, name: text.slice(1), size: 0n, code: /^[tw]/i.test(text) }];
}
