// SPDX-License-Identifier: Apache-2.0
import type { KeyInput } from "@isola/machine";

const SHIFT = 0x2a;
const CONTROL = 0x1d;
const ALT = 0x38;
const FIRST_LETTER = 0x60;

/** Keys of a US keyboard from scan code 2 on: plain characters, and what they are with Shift; a space is no character. */
const PLAIN = "1234567890-=\b\tqwertyuiop[]\n asdfghjkl;'` \\zxcvbnm,./";
const SHIFTED = '!@#$%^&*()_+  QWERTYUIOP{}  ASDFGHJKL:"~ |ZXCVBNM<>?';
const FIRST_CODE = 2;
const SPACE_BAR = 0x39;

/** What terminals send for keys without a character: control sequences, and the keys' codes. */
const SEQUENCES: readonly (readonly [string, number])[] = [
  ["\x1b[A", 0xe048],
  ["\x1b[B", 0xe050],
  ["\x1b[C", 0xe04d],
  ["\x1b[D", 0xe04b],
  ["\x1b[H", 0xe047],
  ["\x1b[F", 0xe04f],
  ["\x1b[2~", 0xe052],
  ["\x1b[3~", 0xe053],
  ["\x1b[5~", 0xe049],
  ["\x1b[6~", 0xe051],
  ["\x1bOP", 0x3b],
  ["\x1bOQ", 0x3c],
  ["\x1bOR", 0x3d],
  ["\x1bOS", 0x3e],
  ["\x1b[15~", 0x3f],
  ["\x1b[17~", 0x40],
  ["\x1b[18~", 0x41],
  ["\x1b[19~", 0x42],
  ["\x1b[20~", 0x43],
  ["\x1b[21~", 0x44],
  ["\x1b[23~", 0x57],
  ["\x1b[24~", 0x58],
];
const ESCAPE_KEY = 0x01;
const DELETE = "\x7f";

/** A key with those that are held meanwhile. */
interface Stroke {
  readonly code: number;
  readonly held: readonly number[];
}

function strokeOf(character: string): Stroke | null {
  if (character === " ") return { code: SPACE_BAR, held: [] };
  if (character === "\x1b") return { code: ESCAPE_KEY, held: [] };
  const plain = character === "\r" ? "\n" : character === DELETE ? "\b" : character;
  const at = PLAIN.indexOf(plain);
  if (at >= 0) return { code: FIRST_CODE + at, held: [] };
  const shifted = SHIFTED.indexOf(character);
  if (shifted >= 0) return { code: FIRST_CODE + shifted, held: [SHIFT] };
  const value = character.charCodeAt(0);
  // Control and a letter is a number up to 26.
  const letter = value < 32 ? PLAIN.indexOf(String.fromCharCode(value + FIRST_LETTER)) : -1;
  return letter >= 0 ? { code: FIRST_CODE + letter, held: [CONTROL] } : null;
}

function inputsOf({ code, held }: Stroke): KeyInput[] {
  const keys = [...held, code];
  return [
    ...keys.map((one) => ({ code: one, pressed: true })),
    ...keys.toReversed().map((one) => ({ code: one, pressed: false })),
  ];
}

/** What has to be typed on a US keyboard for a terminal's input; characters that it does not have are left out. */
export function keysOf(text: string): KeyInput[] {
  const inputs: KeyInput[] = [];
  for (let at = 0; at < text.length;) {
    const rest = text.slice(at);
    const sequence = SEQUENCES.find(([form]) => rest.startsWith(form));
    if (sequence !== undefined) {
      inputs.push(...inputsOf({ code: sequence[1], held: [] }));
      at += sequence[0].length;
      continue;
    }
    // Alt and a key is an escape and its character.
    const alt = rest.length > 1 && rest.startsWith("\x1b") ? strokeOf(rest.charAt(1)) : null;
    const stroke = alt === null ? strokeOf(rest.charAt(0)) : { code: alt.code, held: [ALT, ...alt.held] };
    if (stroke !== null) inputs.push(...inputsOf(stroke));
    at += alt === null ? 1 : 2;
  }
  return inputs;
}
