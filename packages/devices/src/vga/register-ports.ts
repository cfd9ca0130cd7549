// SPDX-License-Identifier: Apache-2.0
import {
  Attribute,
  Crtc,
  CRTC_PROTECT,
  Graphics,
  LINE_BLANK,
  LINE_NS,
  LINES,
  Miscellaneous,
  Port,
  RETRACE_LINES,
  RETRACE_START,
  Sequencer,
  VbeEnable,
  Vbe,
  VISIBLE_LINES,
} from "./registers.js";
import type { VgaRegisters } from "./state.js";

const SEQUENCER_MASKS = [0x03, 0x3d, 0x0f, 0x3f, 0x0e] as const;
const GRAPHICS_MASKS = [0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff] as const;
const ATTRIBUTE_INDEX = 0x1f;
/** Input status 0: a monitor is there. Input status 1: outside the visible part, vertical retrace. */
const SWITCH_SENSE = 0x10;
const DISPLAY_DISABLED = 0x01;
const VERTICAL_RETRACE = 0x08;
const DAC_READING = 3;
/** Lowest bit of line compare bit 8 in the overflow register, which protection leaves writable. */
const LINE_COMPARE_8 = 0x10;

/** Reads and writes of the ports 0x3B0-0x3DF, byte by byte. */
export class RegisterPorts {
  /** @param now the machine's time in ns */
  constructor(
    private readonly registers: () => VgaRegisters,
    private readonly now: () => number,
  ) {}

  read(offset: number): number {
    const r = this.registers();
    if (offset <= Port.MonoLast || offset >= Port.ColourFirst) {
      return this.isCrtc(offset) ? this.readCrtc(offset & 0x0f) : 0xff;
    }
    switch (offset) {
      case Port.Attribute:
        return r.attributeIndexNext ? r.attributeIndex : 0;
      case Port.AttributeRead:
        return r.attribute[r.attributeIndex & ATTRIBUTE_INDEX] ?? 0;
      case Port.Miscellaneous:
        return SWITCH_SENSE;
      case Port.SequencerIndex:
        return r.sequencerIndex;
      case Port.SequencerData:
        return r.sequencer[r.sequencerIndex] ?? 0;
      case Port.DacMask:
        return r.dacMask;
      case Port.DacReadIndex:
        return r.dacReading ? DAC_READING : 0;
      case Port.DacWriteIndex:
        return r.dacWrite;
      case Port.DacData:
        return this.readDac();
      case Port.FeatureRead:
        return r.feature;
      case Port.MiscellaneousRead:
        return r.miscellaneous;
      case Port.GraphicsIndex:
        return r.graphicsIndex;
      case Port.GraphicsData:
        return r.graphics[r.graphicsIndex] ?? 0;
      default:
        return 0xff;
    }
  }

  write(offset: number, value: number): void {
    const r = this.registers();
    if (offset <= Port.MonoLast || offset >= Port.ColourFirst) {
      if (this.isCrtc(offset)) this.writeCrtc(offset & 0x0f, value);
      return;
    }
    switch (offset) {
      case Port.Attribute:
        return this.writeAttribute(value);
      case Port.Miscellaneous:
        r.miscellaneous = value & 0xef;
        return;
      case Port.SequencerIndex:
        r.sequencerIndex = value & 7;
        return;
      case Port.SequencerData:
        if (r.sequencerIndex < Sequencer.Count)
          r.sequencer[r.sequencerIndex] = value & SEQUENCER_MASKS[r.sequencerIndex];
        return;
      case Port.DacMask:
        r.dacMask = value;
        return;
      case Port.DacReadIndex:
        r.dacRead = value;
        r.dacComponent = 0;
        r.dacReading = true;
        return;
      case Port.DacWriteIndex:
        r.dacWrite = value;
        r.dacComponent = 0;
        r.dacReading = false;
        return;
      case Port.DacData:
        return this.writeDac(value);
      case Port.GraphicsIndex:
        r.graphicsIndex = value & 0x0f;
        return;
      case Port.GraphicsData:
        if (r.graphicsIndex < Graphics.Count) r.graphics[r.graphicsIndex] = value & GRAPHICS_MASKS[r.graphicsIndex];
        return;
      default:
        return;
    }
  }

  /** The CRT controller answers in one of its two places only. */
  private isCrtc(offset: number): boolean {
    const colour = (this.registers().miscellaneous & Miscellaneous.Colour) !== 0;
    return colour === offset >= Port.ColourFirst;
  }

  private readCrtc(port: number): number {
    const r = this.registers();
    if (port === Port.CrtcIndex) return r.crtcIndex;
    if (port === Port.CrtcData) return r.crtc[r.crtcIndex] ?? 0;
    if (port !== Port.Status1) return 0xff;
    r.attributeIndexNext = true;
    return this.status1();
  }

  private writeCrtc(port: number, value: number): void {
    const r = this.registers();
    if (port === Port.CrtcIndex) r.crtcIndex = value & 0x3f;
    else if (port === Port.Status1) r.feature = value & 0x1b;
    else if (port === Port.CrtcData && r.crtcIndex < Crtc.Count) {
      const locked = (r.crtc[Crtc.VerticalRetraceEnd] & CRTC_PROTECT) !== 0 && r.crtcIndex <= Crtc.Overflow;
      if (!locked) r.crtc[r.crtcIndex] = value;
      else if (r.crtcIndex === Crtc.Overflow)
        r.crtc[Crtc.Overflow] = (r.crtc[Crtc.Overflow] & ~LINE_COMPARE_8) | (value & LINE_COMPARE_8);
    }
  }

  /** Guests wait for the retrace, so it comes with time. */
  private status1(): number {
    const lines = this.now() / LINE_NS;
    const line = Math.floor(lines) % LINES;
    if (line >= RETRACE_START && line < RETRACE_START + RETRACE_LINES) return VERTICAL_RETRACE | DISPLAY_DISABLED;
    return line >= VISIBLE_LINES || lines % 1 < LINE_BLANK ? DISPLAY_DISABLED : 0;
  }

  private writeAttribute(value: number): void {
    const r = this.registers();
    const indexNext = r.attributeIndexNext;
    r.attributeIndexNext = !indexNext;
    if (indexNext) {
      r.attributeIndex = value & (ATTRIBUTE_INDEX | Attribute.PaletteSource);
      return;
    }
    const index = r.attributeIndex & ATTRIBUTE_INDEX;
    const locked = index < Attribute.Mode && (r.attributeIndex & Attribute.PaletteSource) !== 0;
    if (index < Attribute.Count && !locked) r.attribute[index] = index < Attribute.Mode ? value & 0x3f : value;
  }

  private dacBits(): number {
    return (this.registers().vbe[Vbe.Enable] & VbeEnable.Dac8) !== 0 ? 0xff : 0x3f;
  }

  private readDac(): number {
    const r = this.registers();
    const value = r.palette[r.dacRead * 3 + r.dacComponent];
    r.dacComponent = (r.dacComponent + 1) % 3;
    if (r.dacComponent === 0) r.dacRead = (r.dacRead + 1) & 0xff;
    return value;
  }

  private writeDac(value: number): void {
    const r = this.registers();
    r.palette[r.dacWrite * 3 + r.dacComponent] = value & this.dacBits();
    r.dacComponent = (r.dacComponent + 1) % 3;
    if (r.dacComponent === 0) r.dacWrite = (r.dacWrite + 1) & 0xff;
  }
}
