// SPDX-License-Identifier: Apache-2.0
// Just enough of a driver for a device to take requests; what they say is random, and often wrong.
import type { AccessSize, Bus, GuestRam } from "@isola/memory";
import type { Values } from "./values.js";

/** Where drivers have their rings: pages that nothing random is written to but by devices. */
export const QUEUE = 0x20_0000;

/** Makes a device do something. */
export interface Driver {
  /** After a reset. */
  start(): void;
  /** A request, or part of one. */
  request(): void;
}

/** What a driver works with. */
export interface DriverTools {
  readonly values: Values;
  readonly ram: GuestRam;
  readonly mmio: Bus;
  readonly ports: Bus;
  /** Looks at the screen. */
  look(): void;
}

/** Registers in memory, little endian. */
export abstract class MemoryDriver implements Driver {
  protected readonly values: Values;
  protected readonly ram: GuestRam;

  constructor(
    protected readonly tools: DriverTools,
    private readonly base: number,
  ) {
    this.values = tools.values;
    this.ram = tools.ram;
  }

  abstract start(): void;
  abstract request(): void;

  protected write(offset: number, size: AccessSize, value: number): void {
    this.tools.mmio.write(this.base + offset, size, value >>> 0);
  }

  protected read(offset: number, size: AccessSize): number {
    return this.tools.mmio.read(this.base + offset, size);
  }

  /** Writes 32-bit words, one after the other. */
  protected words(at: number, ...words: readonly number[]): void {
    words.forEach((word, i) => this.ram.setU32(at + i * 4, word >>> 0));
  }

  /** An address of a buffer, mostly one that exists. */
  protected buffer(): number {
    return this.values.chance(16) ? this.values.address(this.ram.size) : this.values.page();
  }
}
