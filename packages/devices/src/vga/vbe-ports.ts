// SPDX-License-Identifier: Apache-2.0
import {
  Vbe,
  VBE_FIRST_ID,
  VBE_LAST_ID,
  VBE_MAX_DEPTH,
  VBE_MAX_HEIGHT,
  VBE_MAX_WIDTH,
  VbeEnable,
} from "./registers.js";
import type { VgaRegisters } from "./state.js";

const MEMORY_UNIT = 0x1_0000;
const DEPTHS: readonly number[] = [4, 8, 15, 16, 24, 32];

/** Bytes of a line of `pixels` at a depth; planar modes have half a byte for a pixel. */
export function bytesOfLine(pixels: number, depth: number): number {
  return depth === 4 ? pixels >> 1 : pixels * ((depth + 7) >> 3);
}

/** The registers of the Bochs display interface: 16 bits each. */
export class VbePorts {
  constructor(
    private readonly registers: () => VgaRegisters,
    private readonly memory: Uint8Array,
  ) {}

  read(index: number): number {
    const { vbe } = this.registers();
    if ((vbe[Vbe.Enable] & VbeEnable.Capabilities) !== 0) {
      if (index === Vbe.Width) return VBE_MAX_WIDTH;
      if (index === Vbe.Height) return VBE_MAX_HEIGHT;
      if (index === Vbe.Depth) return VBE_MAX_DEPTH;
    }
    return index === Vbe.Memory ? this.memory.length / MEMORY_UNIT : (vbe[index] ?? 0);
  }

  write(index: number, value: number): void {
    const { vbe } = this.registers();
    switch (index) {
      case Vbe.Id:
        if (value >= VBE_FIRST_ID && value <= VBE_LAST_ID) vbe[index] = value;
        return;
      case Vbe.Width:
        if (value > 0 && value <= VBE_MAX_WIDTH && (value & 7) === 0) vbe[index] = value;
        return;
      case Vbe.Height:
        if (value > 0 && value <= VBE_MAX_HEIGHT) vbe[index] = value;
        return;
      case Vbe.Depth:
        vbe[index] = DEPTHS.includes(value) ? value : value === 0 ? 8 : vbe[index];
        return;
      case Vbe.Bank:
        if (value * MEMORY_UNIT < this.memory.length) vbe[index] = value;
        return;
      case Vbe.Enable:
        return this.enable(value);
      case Vbe.VirtualWidth:
      case Vbe.OffsetX:
      case Vbe.OffsetY:
        vbe[index] = value;
        return this.fitVirtual();
      default:
        return;
    }
  }

  /** Switches a mode on, which clears the screen unless that is not wanted. */
  private enable(value: number): void {
    const { vbe } = this.registers();
    const wasOn = (vbe[Vbe.Enable] & VbeEnable.Enabled) !== 0;
    vbe[Vbe.Enable] = value;
    vbe[Vbe.Bank] = 0;
    if ((value & VbeEnable.Enabled) === 0 || wasOn) return;
    vbe[Vbe.VirtualWidth] = vbe[Vbe.Width];
    vbe[Vbe.OffsetX] = 0;
    vbe[Vbe.OffsetY] = 0;
    this.fitVirtual();
    if ((value & VbeEnable.KeepMemory) === 0) {
      const bytes = bytesOfLine(vbe[Vbe.VirtualWidth], vbe[Vbe.Depth]) * vbe[Vbe.Height];
      this.memory.fill(0, 0, bytes);
    }
  }

  /** The virtual screen is at least as wide as the visible one, and as high as memory allows. */
  private fitVirtual(): void {
    const { vbe } = this.registers();
    const width = Math.max(vbe[Vbe.VirtualWidth], vbe[Vbe.Width], 8);
    vbe[Vbe.VirtualWidth] = width;
    const line = Math.max(1, bytesOfLine(width, vbe[Vbe.Depth] || 8));
    vbe[Vbe.VirtualHeight] = Math.min(0xffff, Math.floor(this.memory.length / line));
  }
}
