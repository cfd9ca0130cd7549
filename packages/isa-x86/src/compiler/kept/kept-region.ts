// SPDX-License-Identifier: Apache-2.0
import { type BranchHint, ByteReader, type ByteWriter, type FunctionBody, type Mark } from "@isola/wasm";

/** A block of a region, and where it is from the start of the region's first page. */
export interface KeptBlock {
  /** Halves of its key: see BlockKeys. */
  readonly low: number;
  readonly high: number;
  /** Distance of its page, and its offset there. */
  readonly delta: number;
  readonly pageOffset: number;
  /**
   * Displacement of the jump at its end, if that goes to a block of the region which is not loaded together with this one,
   * so that the distance need not be the same another time; else 0.
   */
  readonly farJump: number;
}

/** Code of a region without its place: what a later start of the same guest needs to have it again. */
export interface KeptRegion {
  readonly mode: number;
  readonly promoted: boolean;
  /** The first one became hot. */
  readonly blocks: readonly KeptBlock[];
  /** Numbers of the blocks at which it is entered. */
  readonly entries: readonly number[];
  readonly body: FunctionBody;
  /** Places of {@link body} to be filled in: see relocation.ts. */
  readonly marks: readonly Mark[];
}

export function writeRegion(out: ByteWriter, region: KeptRegion): void {
  const list = <T>(items: readonly T[], write: (item: T) => void): void => {
    out.unsigned(items.length);
    for (const item of items) write(item);
  };
  const bytes = (data: Uint8Array): void => {
    out.unsigned(data.length);
    out.append(data);
  };
  out.unsigned(region.mode);
  out.byte(region.promoted ? 1 : 0);
  list(region.blocks, ({ low, high, delta, pageOffset, farJump }) => {
    out.word(low);
    out.word(high);
    out.word(delta);
    out.unsigned(pageOffset);
    out.word(farJump);
  });
  list(region.entries, (entry) => out.unsigned(entry));
  const { declarations, bytes: code, hints } = region.body;
  bytes(declarations);
  bytes(code);
  let last = 0;
  list(hints, ({ offset, taken }) => {
    out.unsigned(((offset - last) << 1) | (taken ? 1 : 0));
    last = offset;
  });
  last = 0;
  list(region.marks, ({ offset, meaning }) => {
    out.unsigned(offset - last);
    out.unsigned(meaning);
    last = offset;
  });
}

export function readRegion(data: Uint8Array): KeptRegion {
  const reader = new ByteReader(data);
  const mode = reader.unsigned();
  const promoted = reader.byte() !== 0;
  const blocks = reader.list((): KeptBlock => {
    const low = reader.word();
    const high = reader.word();
    return { low, high, delta: reader.word() | 0, pageOffset: reader.unsigned(), farJump: reader.word() | 0 };
  });
  const entries = reader.list(() => reader.unsigned());
  const declarations = reader.bytes(reader.unsigned());
  const bytes = reader.bytes(reader.unsigned());
  let last = 0;
  const hints = reader.list((): BranchHint => {
    const packed = reader.unsigned();
    last += packed >>> 1;
    return { offset: last, taken: (packed & 1) !== 0 };
  });
  last = 0;
  const marks = reader.list((): Mark => {
    last += reader.unsigned();
    return { offset: last, meaning: reader.unsigned() };
  });
  return { mode, promoted, blocks, entries, body: { declarations, bytes, hints }, marks };
}
