// SPDX-License-Identifier: Apache-2.0
import { bytesOfLine } from "./vbe-ports.js";
import {
  Attribute,
  AttributeMode,
  Clocking,
  Crtc,
  Graphics,
  GRAPHICS_ENABLE,
  GraphicsMode,
  Sequencer,
  Vbe,
  VbeEnable,
} from "./registers.js";
import { scanLines } from "./scan-lines.js";
import type { VgaRegisters } from "./state.js";
import { textCells, textLayout } from "./text.js";

/** What a monitor shows, in the resolution of the mode: repeated lines and doubled pixels appear once. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and 255 for each pixel, line by line. */
  readonly pixels: Uint8Array;
}

type Registers = Readonly<VgaRegisters>;

/** Colours as 32-bit words in the byte order of {@link Picture}. */
class Canvas implements Picture {
  readonly pixels: Uint8Array;
  readonly words: Uint32Array;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.words = new Uint32Array(width * height).fill(OPAQUE);
    this.pixels = new Uint8Array(this.words.buffer);
  }
}

const OPAQUE = 0xff00_0000;

function rgb(red: number, green: number, blue: number): number {
  return (OPAQUE | (blue << 16) | (green << 8) | red) >>> 0;
}

/** The 256 colours of the DAC. Six bits are spread so that the brightest is white. */
function dacColours(r: Registers): Uint32Array {
  const wide = (r.vbe[Vbe.Enable] & VbeEnable.Dac8) !== 0;
  const level = (value: number): number => (wide ? value : ((value << 2) | (value >> 4)) & 0xff);
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const at = (i & r.dacMask) * 3;
    return rgb(level(r.palette[at]), level(r.palette[at + 1]), level(r.palette[at + 2]));
  });
}

/** The sixteen colours of text and planar modes, by way of the attribute controller's palette. */
function attributeColours(r: Registers): Uint32Array {
  const dac = dacColours(r);
  const select = r.attribute[Attribute.ColourSelect];
  const fromSelect = (r.attribute[Attribute.Mode] & AttributeMode.PaletteSelect) !== 0;
  return Uint32Array.from({ length: 16 }, (_, i) => {
    const entry = r.attribute[i];
    const low = fromSelect ? (entry & 0x0f) | ((select & 3) << 4) : entry;
    return dac[low | ((select & 0x0c) << 4)];
  });
}

/** What the screen shows now, or null while it is switched off or no mode is set. */
export function vgaPicture(r: Registers, memory: Uint8Array): Picture | null {
  if ((r.vbe[Vbe.Enable] & VbeEnable.Enabled) !== 0) return vbePicture(r, memory);
  const off = (r.sequencer[Sequencer.Clocking] & Clocking.ScreenOff) !== 0;
  if (off || (r.attributeIndex & Attribute.PaletteSource) === 0 || r.crtc[Crtc.HorizontalDisplayEnd] === 0) return null;
  return (r.graphics[Graphics.Miscellaneous] & GRAPHICS_ENABLE) === 0
    ? textPicture(r, memory)
    : graphicsPicture(r, memory);
}

function textPicture(r: Registers, memory: Uint8Array): Picture {
  const layout = textLayout(r);
  const { columns, rows, cellWidth, cellHeight } = layout;
  const canvas = new Canvas(columns * cellWidth, rows * cellHeight);
  const colours = attributeColours(r);
  const mode = r.attribute[Attribute.Mode];
  const backgrounds = (mode & AttributeMode.Blink) !== 0 ? 7 : 15;
  for (const { row, column, character, attribute, font, cursor } of textCells(r, memory, layout)) {
    const ink = colours[attribute & 15];
    const paper = colours[(attribute >> 4) & backgrounds];
    // Box-drawing characters continue into the ninth column.
    const joins = (mode & AttributeMode.LineGraphics) !== 0 && character >= 0xc0 && character <= 0xdf;
    for (let y = 0; y < cellHeight; y++) {
      let dots = (memory[(font + character * 32 + y) * 4 + 2] ?? 0) << 1;
      if (joins) dots |= (dots >> 1) & 1;
      if (cursor !== null && y >= cursor.first && y <= cursor.last) dots = 0x1ff;
      const at = (row * cellHeight + y) * canvas.width + column * cellWidth;
      for (let x = 0; x < cellWidth; x++) canvas.words[at + x] = ((dots >> (8 - x)) & 1) !== 0 ? ink : paper;
    }
  }
  return canvas;
}

function lineCompare(r: Registers): number {
  const high = ((r.crtc[Crtc.Overflow] & 0x10) << 4) | ((r.crtc[Crtc.MaximumScanLine] & 0x40) << 3);
  return r.crtc[Crtc.LineCompare] | high;
}

/** Lines of memory that row scan counters below `row` have passed: the counter's bits in `mask` are address bits instead. */
function linesBefore(row: number, mask: number): number {
  if (mask === 0) return row;
  if (mask === 2) return (row >> 2) * 2 + Math.max(0, (row & 3) - 2);
  return mask === 1 ? row >> 1 : row >> 2;
}

/** First byte of memory of each row of pixels, with the split screen and the interleaving of CGA and Hercules modes. */
function* rowAddresses(r: Registers): Generator<number> {
  const mode = r.crtc[Crtc.ModeControl];
  const maximum = r.crtc[Crtc.MaximumScanLine];
  const mask = (mode & 3) ^ 3;
  const repeats = mask === 0 ? ((maximum & 0x1f) + 1) << (maximum >> 7) : 1 + (maximum >> 7);
  const start = (r.crtc[Crtc.StartHigh] << 8) | r.crtc[Crtc.StartLow];
  const stride = r.crtc[Crtc.Offset] * 8;
  const split = lineCompare(r);
  const bit = 14 + ((mode >> 6) & 1);
  const height = Math.floor(scanLines(r) / repeats);
  for (let row = 0; row < height; row++) {
    const splitRow = Math.ceil((split + 1) / repeats);
    const lower = row >= splitRow;
    const counter = lower ? row - splitRow : row;
    let address = (lower ? 0 : start * 4) + linesBefore(counter, mask) * stride;
    if ((mode & 1) === 0) address = (address & ~(1 << bit)) | ((counter & 1) << bit);
    if ((mode & 2) === 0) address = (address & ~0x8000) | ((counter & 2) << 14);
    yield address;
  }
}

function graphicsPicture(r: Registers, memory: Uint8Array): Picture {
  const wide = (r.graphics[Graphics.Mode] & GraphicsMode.Colours256) !== 0;
  const width = (r.crtc[Crtc.HorizontalDisplayEnd] + 1) * (wide ? 4 : 8);
  const rows = [...rowAddresses(r)];
  const canvas = new Canvas(width, rows.length);
  const interleave = (r.graphics[Graphics.Mode] & GraphicsMode.Interleave) !== 0;
  const colours = wide ? dacColours(r) : attributeColours(r);
  rows.forEach((address, y) => {
    const line = canvas.words.subarray(y * width, (y + 1) * width);
    if (wide) for (let x = 0; x < width; x++) line[x] = colours[memory[address + x] ?? 0];
    else planarLine(r, memory, address, interleave, colours, line);
  });
  return canvas;
}

/** Eight pixels of four bytes each time, one of each plane. */
function planarLine(
  r: Registers,
  memory: Uint8Array,
  address: number,
  interleave: boolean,
  colours: Uint32Array,
  line: Uint32Array,
): void {
  const enable = r.attribute[Attribute.PlaneEnable] & 0x0f;
  for (let x = 0; x < line.length; x++) {
    const at = address + (x >> 3) * 4;
    let index: number;
    if (interleave) {
      // Two bits a pixel: four pixels from planes 0 and 2, then four from 1 and 3.
      const half = (x >> 2) & 1;
      const shift = 6 - 2 * (x & 3);
      index = (((memory[at + half] ?? 0) >> shift) & 3) | ((((memory[at + 2 + half] ?? 0) >> shift) & 3) << 2);
    } else {
      const shift = 7 - (x & 7);
      index = 0;
      for (let plane = 0; plane < 4; plane++) index |= (((memory[at + plane] ?? 0) >> shift) & 1) << plane;
    }
    line[x] = colours[index & enable];
  }
}

function vbePicture(r: Registers, memory: Uint8Array): Picture | null {
  const { vbe } = r;
  const depth = vbe[Vbe.Depth];
  const width = vbe[Vbe.Width];
  const height = vbe[Vbe.Height];
  if (width === 0 || height === 0) return null;
  const canvas = new Canvas(width, height);
  const stride = bytesOfLine(vbe[Vbe.VirtualWidth], depth);
  const first = vbe[Vbe.OffsetY] * stride + bytesOfLine(vbe[Vbe.OffsetX], depth);
  const colours = depth === 4 ? attributeColours(r) : dacColours(r);
  for (let y = 0; y < height; y++) {
    const line = canvas.words.subarray(y * width, (y + 1) * width);
    // Planes lie beside each other, so a line of half-byte pixels takes as much memory as four planes do.
    if (depth === 4) planarLine(r, memory, first + y * stride, false, colours, line);
    else packedLine(memory, first + y * stride, depth, colours, line);
  }
  return canvas;
}

function packedLine(memory: Uint8Array, address: number, depth: number, colours: Uint32Array, line: Uint32Array): void {
  const bytes = (depth + 7) >> 3;
  for (let x = 0; x < line.length; x++) {
    const at = address + x * bytes;
    if (at + bytes > memory.length) return;
    if (bytes === 1) line[x] = colours[memory[at]];
    else if (bytes === 2) line[x] = highColour(memory[at] | (memory[at + 1] << 8), depth);
    else line[x] = rgb(memory[at + 2], memory[at + 1], memory[at]);
  }
}

function highColour(value: number, depth: number): number {
  const greenBits = depth === 15 ? 5 : 6;
  const five = (bits: number): number => ((bits << 3) | (bits >> 2)) & 0xff;
  const green = (value >> 5) & ((1 << greenBits) - 1);
  const level = depth === 15 ? five(green) : ((green << 2) | (green >> 4)) & 0xff;
  return rgb(five((value >> (5 + greenBits)) & 0x1f), level, five(value & 0x1f));
}
