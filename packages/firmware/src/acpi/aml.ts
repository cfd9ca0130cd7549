// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import { utf8 } from "../text.js";

declare const amlBrand: unique symbol;
declare const pathBrand: unique symbol;

/** Encoded AML terms (ACPI 6.5, chapter 20). */
export type Aml = readonly number[] & { readonly [amlBrand]: true };
/** An encoded name, which is also a term that refers to the named object. */
export type AmlPath = Aml & { readonly [pathBrand]: true };

// Encodings, ACPI 6.5 section 20.3.
const ZERO = 0x00;
const ONE = 0x01;
const NAME = 0x08;
const BYTE = 0x0a;
const WORD = 0x0b;
const DWORD = 0x0c;
const STRING = 0x0d;
const QWORD = 0x0e;
const SCOPE = 0x10;
const BUFFER = 0x11;
const PACKAGE = 0x12;
const METHOD = 0x14;
const DUAL_NAME = 0x2e;
const MULTI_NAME = 0x2f;
const EXTENDED = 0x5b;
const DEVICE = 0x82;
const ROOT = 0x5c;
const ARG0 = 0x68;
const STORE = 0x70;
const IF = 0xa0;
const ELSE = 0xa1;
const RETURN = 0xa4;

const raw = (bytes: readonly number[]): Aml => bytes as Aml;
const join = (terms: readonly Aml[]): number[] => terms.flat() as number[];

/** A name such as `PCI0`, `_SB.PCI0` or, from the root, `\_SB`. Segments shorter than four are padded with `_`. */
export function path(name: string): AmlPath {
  const rooted = name.startsWith("\\");
  const segments = name.slice(rooted ? 1 : 0).split(".");
  const bytes = rooted ? [ROOT] : [];
  if (segments.length === 2) bytes.push(DUAL_NAME);
  else if (segments.length > 2) bytes.push(MULTI_NAME, segments.length);
  for (const segment of segments) {
    assert(/^[A-Z_][A-Z0-9_]{0,3}$/.test(segment), `"${segment}" is no AML name segment`);
    bytes.push(...utf8(segment.padEnd(4, "_")));
  }
  return bytes as readonly number[] as AmlPath;
}

/** An integer constant in its shortest encoding. `value` is a whole number below 2^53. */
export function integer(value: number): Aml {
  if (value === 0) return raw([ZERO]);
  if (value === 1) return raw([ONE]);
  const bytes = (count: number) => Array.from({ length: count }, (_, i) => Math.floor(value / 256 ** i) % 256);
  if (value < 0x100) return raw([BYTE, ...bytes(1)]);
  if (value < 0x1_0000) return raw([WORD, ...bytes(2)]);
  if (value < 0x1_0000_0000) return raw([DWORD, ...bytes(4)]);
  return raw([QWORD, ...bytes(8)]);
}

/** A zero-terminated ASCII string. */
export function text(value: string): Aml {
  return raw([STRING, ...utf8(value), 0]);
}

/** A compressed EISA id such as `PNP0501`, as an integer (ACPI 6.5, 19.6.40). */
export function eisaId(id: string): Aml {
  assert(/^[A-Z]{3}[0-9A-F]{4}$/.test(id), `"${id}" is no EISA id`);
  const letter = (i: number) => id.charCodeAt(i) - 0x40;
  const vendor = (letter(0) << 10) | (letter(1) << 5) | letter(2);
  const product = Number.parseInt(id.slice(3), 16);
  return raw([DWORD, vendor >> 8, vendor & 0xff, product >> 8, product & 0xff]);
}

/** `body` with its PkgLength in front, which counts itself (ACPI 6.5, 20.2.4). */
function sized(body: readonly number[]): number[] {
  for (let extra = 0; extra <= 3; extra++) {
    const total = body.length + 1 + extra;
    if (extra === 0 && total < 0x40) return [total, ...body];
    if (extra > 0 && total < 2 ** (4 + 8 * extra)) {
      const lead = (extra << 6) | (total & 0xf);
      const rest = Array.from({ length: extra }, (_, i) => (total >>> (4 + 8 * i)) & 0xff);
      return [lead, ...rest, ...body];
    }
  }
  assert(false, "AML package of 256 MiB or more");
}

export function buffer(bytes: readonly number[]): Aml {
  return raw([BUFFER, ...sized([...integer(bytes.length), ...bytes])]);
}

export function pack(...elements: readonly Aml[]): Aml {
  assert(elements.length < 256, "an AML package has at most 255 elements");
  return raw([PACKAGE, ...sized([elements.length, ...join(elements)])]);
}

/** `Name (name, value)` */
export function named(name: string, value: Aml): Aml {
  return raw([NAME, ...path(name), ...value]);
}

export function scope(name: string, ...terms: readonly Aml[]): Aml {
  return raw([SCOPE, ...sized([...path(name), ...join(terms)])]);
}

export function device(name: string, ...terms: readonly Aml[]): Aml {
  return raw([EXTENDED, DEVICE, ...sized([...path(name), ...join(terms)])]);
}

/** A method that takes `argumentCount` arguments and may run on several processors at once. */
export function method(name: string, argumentCount: number, ...terms: readonly Aml[]): Aml {
  return raw([METHOD, ...sized([...path(name), argumentCount & 7, ...join(terms)])]);
}

/** Argument `index` of the enclosing method. */
export function argument(index: number): Aml {
  return raw([ARG0 + index]);
}

export function store(value: Aml, target: AmlPath): Aml {
  return raw([STORE, ...value, ...target]);
}

export function giveBack(value: Aml): Aml {
  return raw([RETURN, ...value]);
}

/** `If (condition) { yes } Else { no }` */
export function when(condition: Aml, yes: readonly Aml[], no: readonly Aml[] = []): Aml {
  const otherwise = no.length > 0 ? [ELSE, ...sized(join(no))] : [];
  return raw([IF, ...sized([...condition, ...join(yes)]), ...otherwise]);
}

/** `term` as plain bytes. */
export function encode(...terms: readonly Aml[]): Uint8Array {
  return Uint8Array.from(join(terms));
}
