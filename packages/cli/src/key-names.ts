// SPDX-License-Identifier: Apache-2.0
import type { InputEvent } from "@isola/control";
import { keysOf } from "@isola/vmm";
import { didYouMean } from "./suggestion.js";
import { UsageError } from "./usage-error.js";

/** Keys that have no character, by name: scan codes of set 1, see `KeyInput`. */
const NAMED: { readonly [name: string]: number } = {
  esc: 0x01,
  escape: 0x01,
  backspace: 0x0e,
  tab: 0x0f,
  enter: 0x1c,
  return: 0x1c,
  ctrl: 0x1d,
  control: 0x1d,
  rctrl: 0xe01d,
  shift: 0x2a,
  rshift: 0x36,
  alt: 0x38,
  altgr: 0xe038,
  ralt: 0xe038,
  space: 0x39,
  capslock: 0x3a,
  numlock: 0x45,
  scrolllock: 0x46,
  print: 0xe037,
  pause: 0xe11d,
  insert: 0xe052,
  delete: 0xe053,
  del: 0xe053,
  home: 0xe047,
  end: 0xe04f,
  pageup: 0xe049,
  pagedown: 0xe051,
  up: 0xe048,
  down: 0xe050,
  left: 0xe04b,
  right: 0xe04d,
  super: 0xe05b,
  win: 0xe05b,
  rsuper: 0xe05c,
  menu: 0xe05d,
  minus: 0x0c,
  f11: 0x57,
  f12: 0x58,
};
const F1 = 0x3b;
for (let n = 1; n <= 10; n++) Object.assign(NAMED, { [`f${n}`]: F1 + n - 1 });

function codeOf(name: string): number {
  const known = Object.hasOwn(NAMED, name) ? NAMED[name] : undefined;
  if (known !== undefined) return known;
  // One that has a character is called by it, without Shift.
  const [first, second] = name.length === 1 ? keysOf(name) : [];
  if (first !== undefined && second?.pressed === false) return first.code;
  throw new UsageError(`there is no key "${name}"${didYouMean(name, Object.keys(NAMED))}`);
}

/** What happens when the keys of `ctrl-alt-delete` are pressed in turn and then let go. Throws UsageError for others. */
export function chordOf(text: string): InputEvent[] {
  const codes = text.toLowerCase().split("-").map(codeOf);
  return [
    ...codes.map((code) => ({ type: "key", code, pressed: true }) as const),
    ...codes.toReversed().map((code) => ({ type: "key", code, pressed: false }) as const),
  ];
}

const ESCAPES: { readonly [letter: string]: string } = { n: "\n", t: "\t", e: "\x1b", b: "\b", "\\": "\\" };

/**
 * Keys that type `text` on a US keyboard; `\n`, `\t`, `\e`, `\b` and `\\` stand for Enter, Tab, Escape, Backspace and the
 * backslash. Throws UsageError for a character that this keyboard does not have.
 */
export function typedText(text: string): InputEvent[] {
  const plain = text.replace(/\\(.)/gs, (all, letter: string) => ESCAPES[letter] ?? all);
  return [...plain].flatMap((character) => {
    const keys = keysOf(character);
    if (keys.length === 0) throw new UsageError(`a US keyboard has no key for "${character}"`);
    return keys.map((key) => ({ type: "key", ...key }) as const);
  });
}
