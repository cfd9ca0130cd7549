// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import type { PixelOrder } from "./registers.js";

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A piece of guest memory, already checked to be RAM. */
export interface BackingEntry {
  readonly address: number;
  readonly length: number;
}

/** The host's copy of an image, and the guest's memory that it is filled from. */
export class Resource {
  readonly pixels: Uint8Array;
  backing: readonly BackingEntry[] = [];
  /** Offset at which each piece begins. */
  private starts: Float64Array = new Float64Array();

  constructor(
    readonly format: number,
    readonly order: PixelOrder,
    readonly width: number,
    readonly height: number,
  ) {
    this.pixels = new Uint8Array(width * height * 4);
  }

  attach(entries: readonly BackingEntry[]): void {
    this.backing = entries;
    this.starts = new Float64Array(entries.length);
    let at = 0;
    entries.forEach(({ length }, i) => {
      this.starts[i] = at;
      at += length;
    });
  }

  contains({ x, y, width, height }: Rectangle): boolean {
    return x + width <= this.width && y + height <= this.height;
  }

  /** Copies a rectangle from the guest's memory; `offset` is where its first pixel is there. */
  transfer(ram: GuestRam, { x, y, width, height }: Rectangle, offset: number): void {
    const stride = this.width * 4;
    if (x === 0 && width === this.width) {
      this.copy(ram, offset, this.pixels.subarray(y * stride, (y + height) * stride));
      return;
    }
    for (let row = 0; row < height; row++) {
      const at = (y + row) * stride + x * 4;
      this.copy(ram, offset + row * stride, this.pixels.subarray(at, at + width * 4));
    }
  }

  /** Bytes behind the end of the guest's memory leave the copy as it is. */
  private copy(ram: GuestRam, offset: number, into: Uint8Array): void {
    let index = this.entryAt(offset);
    if (index < 0) return;
    let skip = offset - this.starts[index];
    for (let done = 0; done < into.length && index < this.backing.length; index++) {
      const { address, length } = this.backing[index];
      const step = Math.min(length - skip, into.length - done);
      if (step > 0) {
        ram.read(address + skip, into.subarray(done, done + step));
        done += step;
      }
      skip = Math.max(0, skip - length);
    }
  }

  /** The piece that byte `offset` is in, or the last; -1 if there is none. */
  private entryAt(offset: number): number {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.starts[middle] <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
