// SPDX-License-Identifier: Apache-2.0
import type { AccessSize, Bus } from "@isola/memory";

const CONFIG_ADDRESS = 0xcf8;
const CONFIG_DATA = 0xcfc;
const ENABLE = 0x8000_0000;
/** Header type 0 (PCI Local Bus Specification 3.0, 6.1). */
const VENDOR = 0;
const COMMAND = 4;
const CLASS = 8;
const BAR0 = 0x10;
const BARS = 6;
const HEADER_SIZE = 0x40;
const CONFIG_SIZE = 0x100;
/** Ports, memory, DMA. */
const ALL_ON = 7;
const NOBODY = 0xffff;

/** Where the registers of the function under test are put. */
const MEMORY_BASE = 0xd100_0000;
const MEMORY_STEP = 0x0100_0000;
const PORT_BASE = 0xc000;
const PORT_STEP = 0x400;

/** A PCI function, reached by the configuration ports. */
export class PciSlot {
  constructor(
    private readonly ports: Bus,
    readonly number: number,
  ) {}

  get name(): string {
    return `pci-${this.number >> 3}.${this.number & 7}`;
  }

  get present(): boolean {
    return (this.read(VENDOR, 4) & NOBODY) !== NOBODY;
  }

  get vendor(): number {
    return this.read(VENDOR, 4) & NOBODY;
  }

  get classCode(): number {
    return this.read(CLASS, 4) >>> 8;
  }

  read(register: number, size: AccessSize): number {
    this.select(register);
    return this.ports.read(CONFIG_DATA + (register & 3), size);
  }

  write(register: number, size: AccessSize, value: number): void {
    this.select(register);
    this.ports.write(CONFIG_DATA + (register & 3), size, value);
  }

  /** Puts all regions where nothing else is, and switches everything on. Returns their addresses, by BAR. */
  place(): number[] {
    const placed: number[] = [];
    for (let bar = 0; bar < BARS; bar++) {
      const register = BAR0 + bar * 4;
      const kind = this.read(register, 4);
      const isPort = (kind & 1) !== 0;
      const address = isPort ? PORT_BASE + bar * PORT_STEP : MEMORY_BASE + bar * MEMORY_STEP;
      this.write(register, 4, address);
      const wide = !isPort && (kind & 6) === 4;
      placed[bar] = address;
      if (wide) this.write(BAR0 + ++bar * 4, 4, 0);
    }
    this.write(COMMAND, 2, ALL_ON);
    return placed;
  }

  /** A register that something depends on, more often than the others. */
  anyRegister(below: (limit: number) => number): number {
    switch (below(4)) {
      case 0:
        return BAR0 + below(BARS) * 4;
      case 1:
        return COMMAND;
      case 2:
        return below(HEADER_SIZE);
      default:
        return below(CONFIG_SIZE);
    }
  }

  private select(register: number): void {
    this.ports.write(CONFIG_ADDRESS, 4, (ENABLE | (this.number << 8) | (register & 0xfc)) >>> 0);
  }
}
