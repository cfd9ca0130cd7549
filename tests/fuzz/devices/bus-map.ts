// SPDX-License-Identifier: Apache-2.0
import { type AccessSize, Bus, type IoHandler, type Mapping } from "@isola/memory";

/** A range of a bus that a device has claimed. */
export interface ClaimedRange {
  readonly bus: Bus;
  readonly device: string;
  readonly length: number;
  /** Where it is now; null when it has been taken off the bus. */
  start(): number | null;
}

/** Notes all ranges that devices claim on any bus from its making on. */
export class BusMap {
  readonly ranges: ClaimedRange[] = [];

  constructor() {
    const { ranges } = this;
    const claim = Bus.prototype.map;
    Bus.prototype.map = function (this: Bus, start: number, length: number, handler: IoHandler, device = "other") {
      const mapping: Mapping = claim.call(this, start, length, handler, device);
      let gone = false;
      ranges.push({ bus: this, device, length, start: () => (gone ? null : mapping.start) });
      return {
        get start() {
          return mapping.start;
        },
        length,
        remap: (to) => mapping.remap(to),
        unmap: () => {
          gone = true;
          mapping.unmap();
        },
      };
    };
  }

  /** The bus of that name. */
  bus(name: string): Bus {
    const found = this.ranges.find(({ bus }) => bus.name === name);
    if (found === undefined) throw new Error(`nothing is on a bus "${name}"`);
    return found.bus;
  }

  /** Forgets what has been taken off. */
  tidy(): void {
    const left = this.ranges.filter((range) => range.start() !== null);
    this.ranges.splice(0, this.ranges.length, ...left);
  }
}

/** An access as a guest makes it. A value that is no unsigned number of the right width is a bug of the device. */
export function access(bus: Bus, address: number, size: AccessSize, value: number | null): void {
  if (value !== null) return bus.write(address, size, value);
  const got = bus.read(address, size);
  if (!(Number.isInteger(got) && got >= 0 && got < 2 ** (8 * size)))
    throw new Error(`a read of ${size} bytes at ${address.toString(16)} gave ${got}`);
}
