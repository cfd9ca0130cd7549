// SPDX-License-Identifier: Apache-2.0
import type { PciIdentity } from "../pci/function.js";

/**
 * A VGA (IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem", 1992) with the display interface of Bochs
 * ("VBE Display API", Bochs and QEMU sources' documentation), which firmware, Linux and others know as 1234:1111.
 */
export const VGA_IDENTITY: PciIdentity = {
  vendorId: 0x1234,
  deviceId: 0x1111,
  revision: 2,
  classCode: 0x03_0000,
  subsystemVendorId: 0x1af4,
  subsystemId: 0x1100,
  name: "vga",
};

export const VGA_PORT = 0x3b0;
export const VGA_PORTS = 0x30;
export const VBE_PORT = 0x1ce;
export const VBE_PORTS = 3;
/** What the CPU sees of video memory in VGA modes. */
export const VGA_MEMORY = 0xa_0000;
export const VGA_MEMORY_LENGTH = 0x2_0000;
/** Registers in BAR 2. */
export const MMIO_LENGTH = 0x1000;
export const MMIO_VGA = 0x400;
export const MMIO_VGA_LENGTH = 0x20;
export const MMIO_VBE = 0x500;
export const MMIO_VBE_LENGTH = 0x16;

/** Offsets from 0x3B0; those of the CRT controller count from 0x3B0 or 0x3D0. */
export const enum Port {
  MonoFirst = 0x00,
  MonoLast = 0x0f,
  Attribute = 0x10,
  AttributeRead = 0x11,
  /** Miscellaneous output when written, input status 0 when read. */
  Miscellaneous = 0x12,
  SequencerIndex = 0x14,
  SequencerData = 0x15,
  DacMask = 0x16,
  /** Read index when written, state when read. */
  DacReadIndex = 0x17,
  DacWriteIndex = 0x18,
  DacData = 0x19,
  FeatureRead = 0x1a,
  MiscellaneousRead = 0x1c,
  GraphicsIndex = 0x1e,
  GraphicsData = 0x1f,
  ColourFirst = 0x20,
  CrtcIndex = 0x04,
  CrtcData = 0x05,
  /** Input status 1 when read, feature control when written. */
  Status1 = 0x0a,
}

export const enum Miscellaneous {
  /** The CRT controller is at 0x3D0, not 0x3B0. */
  Colour = 0x01,
  RamEnable = 0x02,
}

export const enum Sequencer {
  Reset = 0,
  Clocking = 1,
  MapMask = 2,
  CharacterMap = 3,
  MemoryMode = 4,
  Count = 5,
}
export const enum Clocking {
  EightDots = 0x01,
  HalfClock = 0x08,
  ScreenOff = 0x20,
}
export const enum MemoryMode {
  /** Clear: even addresses go to planes 0 and 2, odd ones to 1 and 3. */
  Sequential = 0x04,
  Chain4 = 0x08,
}

export const enum Graphics {
  SetReset = 0,
  EnableSetReset = 1,
  ColourCompare = 2,
  Rotate = 3,
  ReadMap = 4,
  Mode = 5,
  Miscellaneous = 6,
  ColourDontCare = 7,
  BitMask = 8,
  Count = 9,
}
export const enum GraphicsMode {
  Write = 0x03,
  ReadCompare = 0x08,
  OddEven = 0x10,
  Interleave = 0x20,
  Colours256 = 0x40,
}
export const GRAPHICS_ENABLE = 0x01;

export const enum Crtc {
  HorizontalDisplayEnd = 0x01,
  Overflow = 0x07,
  PresetRowScan = 0x08,
  MaximumScanLine = 0x09,
  CursorStart = 0x0a,
  CursorEnd = 0x0b,
  StartHigh = 0x0c,
  StartLow = 0x0d,
  CursorHigh = 0x0e,
  CursorLow = 0x0f,
  VerticalRetraceEnd = 0x11,
  VerticalDisplayEnd = 0x12,
  Offset = 0x13,
  UnderlineLocation = 0x14,
  ModeControl = 0x17,
  LineCompare = 0x18,
  Count = 0x19,
}
/** In the vertical retrace end register: registers 0-7 are write-protected. */
export const CRTC_PROTECT = 0x80;

export const enum Attribute {
  Mode = 0x10,
  Overscan = 0x11,
  PlaneEnable = 0x12,
  PixelPanning = 0x13,
  ColourSelect = 0x14,
  Count = 0x15,
  /** In the index: the palette drives the screen, and is not accessible. */
  PaletteSource = 0x20,
}
export const enum AttributeMode {
  Graphics = 0x01,
  LineGraphics = 0x04,
  Blink = 0x08,
  PixelWidth = 0x40,
  /** Bits 4 and 5 of colours come from the colour select register. */
  PaletteSelect = 0x80,
}

/** Indices of the Bochs interface. */
export const enum Vbe {
  Id = 0,
  Width = 1,
  Height = 2,
  Depth = 3,
  Enable = 4,
  Bank = 5,
  VirtualWidth = 6,
  VirtualHeight = 7,
  OffsetX = 8,
  OffsetY = 9,
  /** Video memory in units of 64 KiB. */
  Memory = 10,
  Count = 11,
}
export const enum VbeEnable {
  Enabled = 0x01,
  /** Reads of width, height and depth give the highest values. */
  Capabilities = 0x02,
  Dac8 = 0x20,
  LinearFrameBuffer = 0x40,
  KeepMemory = 0x80,
}
export const VBE_FIRST_ID = 0xb0c0;
export const VBE_LAST_ID = 0xb0c5;
export const VBE_MAX_WIDTH = 2560;
export const VBE_MAX_HEIGHT = 1600;
export const VBE_MAX_DEPTH = 32;
export const BANK_SIZE = 0x1_0000;

/** 640x480 and the text modes have 449 lines at 31.5 kHz, so 70 frames a second; the last lines are blank. */
export const LINE_NS = 31_778;
export const LINES = 449;
export const VISIBLE_LINES = 400;
export const RETRACE_START = 412;
export const RETRACE_LINES = 2;
/** The part of a line that is blank. */
export const LINE_BLANK = 0.2;
