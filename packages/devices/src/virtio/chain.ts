// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";

/** A piece of guest memory, already checked to be RAM. Length in bytes. */
export interface Segment {
  readonly address: number;
  readonly length: number;
}

/** One request of a driver: what the device reads, then what it writes. */
export class Chain {
  readonly readable: Segment[] = [];
  readonly writable: Segment[] = [];
  readableLength = 0;
  writableLength = 0;

  /** @param head index of the first descriptor, by which the request is returned */
  constructor(readonly head: number) {}

  add(segment: Segment, writable: boolean): void {
    if (writable) {
      this.writable.push(segment);
      this.writableLength += segment.length;
    } else {
      this.readable.push(segment);
      this.readableLength += segment.length;
    }
  }

  /** Copies readable bytes from `offset` on into `into`; returns how many there were. */
  read(ram: GuestRam, offset: number, into: Uint8Array): number {
    return walk(this.readable, offset, into.length, (address, at, length) => {
      ram.read(address, into.subarray(at, at + length));
    });
  }

  /** Copies `data` to the writable bytes from `offset` on; returns how many fitted. */
  write(ram: GuestRam, offset: number, data: Uint8Array): number {
    return walk(this.writable, offset, data.length, (address, at, length) => {
      ram.write(address, data.subarray(at, at + length));
    });
  }
}

/** Visits the part `[offset, offset + length)` of the concatenated segments. */
function walk(
  segments: readonly Segment[],
  offset: number,
  length: number,
  visit: (address: number, at: number, length: number) => void,
): number {
  let skip = offset;
  let done = 0;
  for (const segment of segments) {
    if (done === length) break;
    if (skip >= segment.length) {
      skip -= segment.length;
      continue;
    }
    const step = Math.min(segment.length - skip, length - done);
    visit(segment.address + skip, done, step);
    done += step;
    skip = 0;
  }
  return done;
}
