// SPDX-License-Identifier: Apache-2.0
import { BANK_SIZE, Graphics, GraphicsMode, MemoryMode, Sequencer, Vbe, VbeEnable } from "./registers.js";
import type { VgaRegisters } from "./state.js";

/** Parts of 0xA0000-0xBFFFF that the memory map field selects: offset and length. */
const MAPS = [
  [0x0_0000, 0x2_0000],
  [0x0_0000, 0x1_0000],
  [0x1_0000, 0x0_8000],
  [0x1_8000, 0x0_8000],
] as const;
const PLANE_BYTES = 0x1_0000;
const ALL = 0xffff_ffff;

/** A byte in each of the four bytes of a word. */
function spread(byte: number): number {
  return (byte * 0x0101_0101) >>> 0;
}

/** 0xff in the bytes of those planes whose bit is set. */
function planesOf(mask: number): number {
  return (
    ((mask & 1) !== 0 ? 0xff : 0) |
    ((mask & 2) !== 0 ? 0xff00 : 0) |
    ((mask & 4) !== 0 ? 0xff_0000 : 0) |
    ((mask & 8) !== 0 ? 0xff00_0000 : 0)
  );
}

/**
 * What the CPU does to video memory through the window at 0xA0000. The four planes lie byte by byte beside each other:
 * plane p of address a is byte 4 a + p, so that chained modes and the linear frame buffer see their pixels in order.
 */
export class PlaneMemory {
  private readonly view: DataView;

  constructor(
    private readonly registers: () => VgaRegisters,
    private readonly memory: Uint8Array,
  ) {
    this.view = new DataView(memory.buffer, memory.byteOffset, memory.length);
  }

  /** Reads a byte; `offset` counts from 0xA0000. */
  read(offset: number): number {
    const r = this.registers();
    const address = this.mapped(r, offset);
    if (address < 0) return 0xff;
    if (this.isChained(r)) return this.memory[address + this.bank(r)] ?? 0xff;
    const oddEven = (r.graphics[Graphics.Mode] & GraphicsMode.OddEven) !== 0;
    const word = oddEven ? address >> 1 : address;
    if (word >= PLANE_BYTES) return 0xff;
    r.latch = this.view.getUint32(word * 4, true);
    if ((r.graphics[Graphics.Mode] & GraphicsMode.ReadCompare) !== 0) return this.compare(r);
    const plane = oddEven ? (r.graphics[Graphics.ReadMap] & 2) | (address & 1) : r.graphics[Graphics.ReadMap];
    return (r.latch >>> (plane * 8)) & 0xff;
  }

  write(offset: number, value: number): void {
    const r = this.registers();
    const address = this.mapped(r, offset);
    if (address < 0) return;
    const mask = r.sequencer[Sequencer.MapMask];
    if (this.isChained(r)) {
      const at = address + this.bank(r);
      if (((mask >> (address & 3)) & 1) !== 0 && at < this.memory.length) this.memory[at] = value;
      return;
    }
    const sequential = (r.sequencer[Sequencer.MemoryMode] & MemoryMode.Sequential) !== 0;
    const word = sequential ? address : address >> 1;
    if (word >= PLANE_BYTES) return;
    const planes = planesOf(sequential ? mask : mask & ((address & 1) !== 0 ? 0x0a : 0x05));
    const old = this.view.getUint32(word * 4, true);
    this.view.setUint32(word * 4, (old & ~planes) | (this.combine(r, value) & planes), true);
  }

  /** Address in the mapped part, or -1 outside of it. */
  private mapped(r: VgaRegisters, offset: number): number {
    const [start, length] = MAPS[(r.graphics[Graphics.Miscellaneous] >> 2) & 3];
    const address = offset - start;
    return address >= 0 && address < length ? address : -1;
  }

  private isChained(r: VgaRegisters): boolean {
    return (r.sequencer[Sequencer.MemoryMode] & MemoryMode.Chain4) !== 0;
  }

  private bank(r: VgaRegisters): number {
    return (r.vbe[Vbe.Enable] & VbeEnable.Enabled) !== 0 ? r.vbe[Vbe.Bank] * BANK_SIZE : 0;
  }

  /** Read mode 1: one bit for each of eight pixels, set where the planes that matter have the wanted colour. */
  private compare(r: VgaRegisters): number {
    const care = planesOf(r.graphics[Graphics.ColourDontCare]);
    const differs = (r.latch ^ planesOf(r.graphics[Graphics.ColourCompare])) & care;
    return ~(differs | (differs >>> 8) | (differs >>> 16) | (differs >>> 24)) & 0xff;
  }

  /** The word that a write makes of the CPU's byte, in one of four write modes, before the map mask. */
  private combine(r: VgaRegisters, value: number): number {
    const g = r.graphics;
    const mode = g[Graphics.Mode] & GraphicsMode.Write;
    if (mode === 1) return r.latch;
    const count = g[Graphics.Rotate] & 7;
    const rotated = ((value >> count) | (value << (8 - count))) & 0xff;
    const setReset = planesOf(g[Graphics.SetReset]);
    let bits = spread(g[Graphics.BitMask]);
    let data: number;
    if (mode === 0) {
      const enabled = planesOf(g[Graphics.EnableSetReset]);
      data = (spread(rotated) & ~enabled) | (setReset & enabled);
    } else if (mode === 2) {
      data = planesOf(value & 0x0f);
    } else {
      bits &= spread(rotated);
      data = setReset;
    }
    return (this.operate(g[Graphics.Rotate] >> 3, data, r.latch) & bits) | (r.latch & ~bits & ALL);
  }

  private operate(operation: number, data: number, latch: number): number {
    if (operation === 1) return data & latch;
    if (operation === 2) return data | latch;
    return operation === 3 ? data ^ latch : data;
  }
}
