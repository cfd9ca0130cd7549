// SPDX-License-Identifier: Apache-2.0
import { Clocking, Crtc, Graphics, GRAPHICS_ENABLE, Sequencer, Vbe, VbeEnable } from "./registers.js";
import { scanLines } from "./scan-lines.js";
import type { VgaRegisters } from "./state.js";

type Registers = Readonly<VgaRegisters>;

/** Dimensions of a text mode; cells in dots and scan lines. */
export interface TextLayout {
  readonly columns: number;
  readonly rows: number;
  readonly cellWidth: number;
  readonly cellHeight: number;
}

/** A character on the screen. */
export interface TextCell {
  readonly row: number;
  readonly column: number;
  readonly character: number;
  readonly attribute: number;
  /** Address in plane 2 of the font, 32 bytes a character. */
  readonly font: number;
  /** Scan lines that the cursor covers, or null. */
  readonly cursor: { readonly first: number; readonly last: number } | null;
}

const CURSOR_OFF = 0x20;
const MAX_ROWS = 128;

export function textLayout(r: Registers): TextLayout {
  const maximum = r.crtc[Crtc.MaximumScanLine];
  const cellHeight = (maximum & 0x1f) + 1;
  const doubled = cellHeight << (maximum >> 7);
  return {
    columns: r.crtc[Crtc.HorizontalDisplayEnd] + 1,
    rows: Math.min(MAX_ROWS, Math.floor(scanLines(r) / doubled)),
    cellWidth: (r.sequencer[Sequencer.Clocking] & Clocking.EightDots) !== 0 ? 8 : 9,
    cellHeight,
  };
}

/** Address in plane 2 of character map `map`, 0-7: the upper four lie between the lower ones. */
function mapAddress(map: number): number {
  return (map & 3) * 0x4000 + (map >> 2) * 0x2000;
}

/** All cells, line by line. */
export function* textCells(r: Registers, memory: Uint8Array, layout: TextLayout): Generator<TextCell> {
  const select = r.sequencer[Sequencer.CharacterMap];
  const fontA = mapAddress(((select >> 2) & 3) | ((select >> 3) & 4));
  const fontB = mapAddress((select & 3) | ((select >> 2) & 4));
  const start = (r.crtc[Crtc.StartHigh] << 8) | r.crtc[Crtc.StartLow];
  const cursorAt = (r.crtc[Crtc.CursorHigh] << 8) | r.crtc[Crtc.CursorLow];
  const first = r.crtc[Crtc.CursorStart] & 0x1f;
  const last = r.crtc[Crtc.CursorEnd] & 0x1f;
  const shown = (r.crtc[Crtc.CursorStart] & CURSOR_OFF) === 0 && first <= last;
  for (let row = 0; row < layout.rows; row++) {
    for (let column = 0; column < layout.columns; column++) {
      const cell = start + row * r.crtc[Crtc.Offset] * 2 + column;
      const character = memory[cell * 4] ?? 0;
      const attribute = memory[cell * 4 + 1] ?? 0;
      const font = (attribute & 8) !== 0 ? fontA : fontB;
      yield { row, column, character, attribute, font, cursor: shown && cell === cursorAt ? { first, last } : null };
    }
  }
}

/** The characters of code page 437, in which PCs write text; control codes are pictures there. */
const CODE_PAGE_437 =
  " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼" +
  " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~⌂" +
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀" +
  "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ";

/** Lines of a text screen without trailing spaces, or null if it shows graphics or nothing. */
export function vgaText(r: Registers, memory: Uint8Array): string[] | null {
  const graphics = (r.graphics[Graphics.Miscellaneous] & GRAPHICS_ENABLE) !== 0;
  if (graphics || (r.vbe[Vbe.Enable] & VbeEnable.Enabled) !== 0 || r.crtc[Crtc.HorizontalDisplayEnd] === 0) return null;
  const layout = textLayout(r);
  const lines = Array.from({ length: layout.rows }, () => "");
  for (const { row, character } of textCells(r, memory, layout)) lines[row] += CODE_PAGE_437[character] ?? " ";
  return lines.map((line) => line.trimEnd());
}
