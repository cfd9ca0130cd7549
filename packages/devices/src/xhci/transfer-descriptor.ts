// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { MAX_TD_BLOCKS, TrbBit, TrbType } from "./registers.js";
import type { RingState } from "./state.js";
import { advance, fetch, type Trb, typeOf } from "./trb.js";

const LENGTH = 0x1_ffff;
const IMMEDIATE_MAX = 8;

/** Bytes that a block moves. */
export function lengthOf(trb: Trb): number {
  switch (typeOf(trb)) {
    case TrbType.Normal:
    case TrbType.Data:
    case TrbType.Isochronous:
      return trb.status & LENGTH;
    default:
      return 0;
  }
}

/** Blocks that are chained: one transfer, or one stage of a control transfer (4.11.1). Its data are one row of bytes. */
export class TransferDescriptor {
  readonly length: number;

  private constructor(
    readonly blocks: readonly Trb[],
    /** The ring behind it. */
    readonly next: RingState,
  ) {
    this.length = blocks.reduce((sum, trb) => sum + lengthOf(trb), 0);
  }

  /** The descriptor at a ring's position; it is empty until the last block is there. Leaves `ring` as it is. */
  static read(ram: GuestRam, ring: RingState): TransferDescriptor | "empty" | "broken" {
    const next = { ...ring };
    const blocks: Trb[] = [];
    for (;;) {
      const trb = fetch(ram, next);
      if (trb === "empty" || trb === "broken") return trb;
      if (blocks.push(trb) > MAX_TD_BLOCKS) return "broken";
      advance(next);
      if ((trb.control & TrbBit.Chain) === 0) return new TransferDescriptor(blocks, next);
    }
  }

  get first(): Trb {
    return this.blocks[0];
  }

  /** The block that holds byte `at`, or the last one, and how many bytes of it are behind that. */
  blockAt(at: number): { readonly trb: Trb; readonly left: number } {
    let before = 0;
    for (const trb of this.blocks) {
      const length = lengthOf(trb);
      if (at < before + length) return { trb, left: before + length - at };
      before += length;
    }
    return { trb: this.blocks[this.blocks.length - 1], left: 0 };
  }

  /** Fills `into` with bytes from `offset` on; false if a buffer is not in RAM. */
  read(ram: GuestRam, offset: number, into: Uint8Array): boolean {
    return this.walk(offset, into.length, (trb, skip, at, length) => {
      const part = into.subarray(at, at + length);
      if ((trb.control & TrbBit.ImmediateData) === 0) return ram.read(addressIn(trb, skip), part);
      for (let i = 0; i < length; i++) part[i] = immediateByte(trb, skip + i);
      return true;
    });
  }

  /** Writes bytes from `offset` on; false if a buffer is not in RAM. */
  write(ram: GuestRam, offset: number, data: Uint8Array): boolean {
    return this.walk(offset, data.length, (trb, skip, at, length) =>
      ram.write(addressIn(trb, skip), data.subarray(at, at + length)),
    );
  }

  private walk(
    offset: number,
    length: number,
    visit: (trb: Trb, skip: number, at: number, length: number) => boolean,
  ): boolean {
    let skip = offset;
    let done = 0;
    for (const trb of this.blocks) {
      if (done === length) break;
      const size = lengthOf(trb);
      if (skip >= size) {
        skip -= size;
        continue;
      }
      const step = Math.min(size - skip, length - done);
      if (!visit(trb, skip, done, step)) return false;
      done += step;
      skip = 0;
    }
    return true;
  }
}

function addressIn(trb: Trb, skip: number): number {
  return trb.high * 2 ** 32 + trb.low + skip;
}

/** A block can hold its few bytes itself (4.11.7). */
function immediateByte(trb: Trb, at: number): number {
  if (at >= IMMEDIATE_MAX) return 0;
  return ((at < 4 ? trb.low : trb.high) >>> ((at & 3) * 8)) & 0xff;
}
