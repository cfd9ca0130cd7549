// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";

/** Width of one bus access in bytes. The bus splits 8-byte accesses into two of 4. */
export type AccessSize = 1 | 2 | 4;

/**
 * Registers of a device behind a range of ports or addresses. `offset` counts from the start of the range; values are
 * unsigned. A handler never throws, whatever the guest does: unknown registers read as all ones or zero.
 */
export interface IoHandler {
  read(offset: number, size: AccessSize): number;
  write(offset: number, size: AccessSize, value: number): void;
}

/** A mapped range; `remap` moves it (PCI BARs), `unmap` takes it off the bus. */
export interface Mapping {
  readonly start: number;
  readonly length: number;
  remap(start: number): void;
  unmap(): void;
}

interface Range {
  start: number;
  length: number;
  readonly handler: IoHandler;
}

const FLOATING = [0, 0xff, 0xffff, 0, 0xffff_ffff] as const;

/**
 * One address space of devices: the 64 KiB of I/O ports, or memory-mapped registers. Later mappings win over earlier
 * ones. An access that nobody claims reads as all ones and writes nothing, like an ISA or PCI bus.
 */
export class Bus {
  private readonly ranges: Range[] = [];

  constructor(readonly name: string) {}

  /** Claims `[start, start + length)` for `handler`. */
  map(start: number, length: number, handler: IoHandler): Mapping {
    if (!(length > 0)) throw new OperatorError("bad-range", `${this.name}: empty range at ${start.toString(16)}`);
    const range: Range = { start, length, handler };
    this.ranges.unshift(range);
    return {
      get start() {
        return range.start;
      },
      length,
      remap: (to) => {
        range.start = to;
      },
      unmap: () => {
        const at = this.ranges.indexOf(range);
        if (at >= 0) this.ranges.splice(at, 1);
      },
    };
  }

  read(address: number, size: AccessSize): number {
    const range = this.find(address);
    if (range === null) return FLOATING[size];
    // A device may answer with its whole register; nobody upstream expects more than was asked for.
    return (range.handler.read(address - range.start, size) & FLOATING[size]) >>> 0;
  }

  write(address: number, size: AccessSize, value: number): void {
    const range = this.find(address);
    if (range !== null) range.handler.write(address - range.start, size, value >>> 0);
  }

  private find(address: number): Range | null {
    for (const range of this.ranges) {
      if (address >= range.start && address < range.start + range.length) return range;
    }
    return null;
  }
}
