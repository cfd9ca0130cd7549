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

/** Accesses to one device. */
export interface AccessCounts {
  reads: number;
  writes: number;
}

interface Range {
  start: number;
  length: number;
  readonly handler: IoHandler;
  readonly counts: AccessCounts;
}

/** Name under which accesses count that no range claims. */
const NOBODY = "unclaimed";

const FLOATING = [0, 0xff, 0xffff, 0, 0xffff_ffff] as const;

/**
 * One address space of devices: the 64 KiB of I/O ports, or memory-mapped registers. Later mappings win over earlier
 * ones. An access that nobody claims reads as all ones and writes nothing, like an ISA or PCI bus.
 */
export class Bus {
  private readonly ranges: Range[] = [];
  private readonly counts = new Map<string, AccessCounts>();
  private readonly unclaimed: AccessCounts = this.countsOf(NOBODY);

  constructor(readonly name: string) {}

  /** Claims `[start, start + length)` for `handler`. Accesses are counted under `device`, which may have several ranges. */
  map(start: number, length: number, handler: IoHandler, device = "other"): Mapping {
    if (!(length > 0)) throw new OperatorError("bad-range", `${this.name}: empty range at ${start.toString(16)}`);
    const range: Range = { start, length, handler, counts: this.countsOf(device) };
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
    if (range === null) {
      this.unclaimed.reads++;
      return FLOATING[size];
    }
    range.counts.reads++;
    // A device may answer with its whole register; nobody upstream expects more than was asked for.
    return (range.handler.read(address - range.start, size) & FLOATING[size]) >>> 0;
  }

  write(address: number, size: AccessSize, value: number): void {
    const range = this.find(address);
    if (range === null) {
      this.unclaimed.writes++;
      return;
    }
    range.counts.writes++;
    range.handler.write(address - range.start, size, value >>> 0);
  }

  /** Accesses since the bus was made, by device; those that nobody claimed as "unclaimed". */
  accesses(): ReadonlyMap<string, Readonly<AccessCounts>> {
    return this.counts;
  }

  private countsOf(device: string): AccessCounts {
    const known = this.counts.get(device);
    if (known !== undefined) return known;
    const counts: AccessCounts = { reads: 0, writes: 0 };
    this.counts.set(device, counts);
    return counts;
  }

  private find(address: number): Range | null {
    for (const range of this.ranges) {
      if (address >= range.start && address < range.start + range.length) return range;
    }
    return null;
  }
}
