// SPDX-License-Identifier: Apache-2.0
import type { AccessSize, IoHandler } from "@isola/memory";
import type { Clock } from "@isola/ports";
import { allOnes } from "../access-width.js";
import { checkState, copyState, type Device } from "../device.js";
import { PciFunction, type PciSpaces } from "../pci/function.js";
import { PlaneMemory } from "./plane-memory.js";
import { RegisterPorts } from "./register-ports.js";
import { MMIO_LENGTH, MMIO_VBE, MMIO_VBE_LENGTH, MMIO_VGA, MMIO_VGA_LENGTH, Port, VGA_IDENTITY } from "./registers.js";
import { VbePorts } from "./vbe-ports.js";
import { type VgaRegisters, type VgaState, vgaResetRegisters } from "./state.js";

export interface VgaPorts {
  readonly spaces: PciSpaces;
  /** Video memory, a power of two of at least 256 KiB; guest code also reaches it directly if the machine arranges so. */
  readonly memory: Uint8Array;
  /** Expansion ROM with the video BIOS, or null. */
  readonly rom: Uint8Array | null;
  readonly clock: Pick<Clock, "now">;
  /** The linear frame buffer is at this address, or nowhere for null. */
  frameBufferPlaced(address: number | null): void;
}

/** Bytes of a register that is wider than a port: each goes to a port of its own, the lowest first. */
function byteHandler(read: (offset: number) => number, write: (offset: number, value: number) => void): IoHandler {
  return {
    read: (offset, size) => {
      let value = 0;
      for (let i = size - 1; i >= 0; i--) value = (value << 8) | read(offset + i);
      return value >>> 0;
    },
    write: (offset, size, value) => {
      for (let i = 0; i < size; i++) write(offset + i, (value >>> (8 * i)) & 0xff);
    },
  };
}

/** A VGA on the PCI bus with a linear frame buffer and the Bochs display interface. */
export class Vga implements Device<VgaState> {
  readonly pci: PciFunction;
  /** Ports 0x3B0-0x3DF. */
  readonly portHandler: IoHandler;
  /** Ports 0x1CE-0x1D0: index, and data at two places. */
  readonly vbeHandler: IoHandler = {
    read: (offset, size) => {
      if (size === 1) return 0xff;
      return offset === 0 ? this.r.vbeIndex : this.vbe.read(this.r.vbeIndex);
    },
    write: (offset, size, value) => {
      if (size === 1) return;
      if (offset === 0) this.r.vbeIndex = value & 0xffff;
      else this.vbe.write(this.r.vbeIndex, value & 0xffff);
    },
  };
  /** The window at 0xA0000, 128 KiB. */
  readonly memoryHandler: IoHandler;
  readonly memory: Uint8Array;
  private r: VgaRegisters = vgaResetRegisters();
  private readonly vbe: VbePorts;

  constructor(ports: VgaPorts) {
    this.memory = ports.memory;
    const registers = (): VgaRegisters => this.r;
    const planes = new PlaneMemory(registers, ports.memory);
    const io = new RegisterPorts(registers, () => ports.clock.now());
    this.vbe = new VbePorts(registers, ports.memory);
    this.memoryHandler = byteHandler(
      (offset) => planes.read(offset),
      (offset, value) => planes.write(offset, value),
    );
    this.portHandler = byteHandler(
      (offset) => io.read(offset),
      (offset, value) => io.write(offset, value),
    );
    this.pci = new PciFunction(ports.spaces, VGA_IDENTITY);
    this.pci.addBar({
      index: 0,
      kind: "memory32",
      size: ports.memory.length,
      prefetchable: true,
      handler: byteHandler(
        (offset) => this.memory[offset] ?? 0xff,
        (offset, value) => {
          if (offset < this.memory.length) this.memory[offset] = value;
        },
      ),
      placed: ports.frameBufferPlaced,
    });
    this.pci.addBar({ index: 2, kind: "memory32", size: MMIO_LENGTH, handler: this.mmioHandler() });
    if (ports.rom !== null) this.pci.addRom(ports.rom);
    this.pci.seal();
  }

  /** Everything that a picture follows from, beside {@link memory}. Changes when the guest runs; must not be written. */
  get registers(): Readonly<VgaRegisters> {
    return this.r;
  }

  reset(): void {
    this.pci.reset();
    this.r = vgaResetRegisters();
  }

  save(): VgaState {
    return { device: "vga", version: 1, pci: this.pci.save(), registers: copyState(this.r) };
  }

  restore(state: VgaState): void {
    checkState(state, "vga", 1);
    this.pci.restore(state.pci);
    this.r = copyState(state.registers);
  }

  /** BAR 2: the ports from 0x3C0 on, and the Bochs registers as 16-bit words. */
  private mmioHandler(): IoHandler {
    return {
      read: (offset, size) => this.readMmio(offset, size),
      write: (offset, size, value) => {
        const vga = offset - MMIO_VGA;
        if (vga >= 0 && vga + size <= MMIO_VGA_LENGTH) this.portHandler.write(vga + Port.Attribute, size, value);
        const vbe = offset - MMIO_VBE;
        if (vbe >= 0 && vbe < MMIO_VBE_LENGTH && size === 2 && (vbe & 1) === 0)
          this.vbe.write(vbe >> 1, value & 0xffff);
      },
    };
  }

  private readMmio(offset: number, size: AccessSize): number {
    const vga = offset - MMIO_VGA;
    if (vga >= 0 && vga + size <= MMIO_VGA_LENGTH) return this.portHandler.read(vga + Port.Attribute, size);
    const vbe = offset - MMIO_VBE;
    if (vbe >= 0 && vbe < MMIO_VBE_LENGTH && size === 2 && (vbe & 1) === 0) return this.vbe.read(vbe >> 1);
    return allOnes(size);
  }
}
