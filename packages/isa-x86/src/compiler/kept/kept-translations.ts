// SPDX-License-Identifier: Apache-2.0
import { BLOCK_HEADER_SIZE, BlockField, RECORD_SIZE, RecordField } from "@isola/engine";
import { ByteReader, ByteWriter, type ValueType } from "@isola/wasm";
import type { HelperNames } from "../helper-names.js";
import type { BlockKeys } from "./block-key.js";
import { type KeptRegion, readRegion, writeRegion } from "./kept-region.js";

/** Starts of a machine without any use of a region after which it is not kept any longer. */
const MAX_AGE = 8;
/** Slots of the filter in front of the map of first blocks. */
const FILTER_SIZE = 1 << 16;
/** Bytes that are saved at a time. */
const PIECE = 1 << 20;
const VALUE_TYPES: readonly ValueType[] = ["i32", "i64", "f32", "f64", "v128"];

/** What a machine is given to begin with. */
export interface KeptTranslationsOptions {
  /** What {@link KeptTranslations.save} gave at the end of an earlier run of the same version of the program, or null. */
  readonly saved: Uint8Array | null;
  /** A random number of 64 bits, for use if nothing has been saved. */
  readonly secret: readonly [number, number];
  /** Bytes that may be kept. */
  readonly maxBytes: number;
}

/** A region that is kept. */
export class Kept {
  constructor(
    /** Slot of its first block in the filter, and the key of that block. */
    readonly slot: number,
    readonly low: number,
    readonly high: number,
    readonly data: Uint8Array,
    /** Starts since it has been used. */
    public age: number,
  ) {}

  /** Made anew each time, since most regions are needed once. */
  read(): KeptRegion {
    return readRegion(this.data);
  }
}

/**
 * Code of regions from earlier runs, found by the contents of their first blocks. A guest that is started again then
 * need not be interpreted until its code has become hot, nor compiled once more.
 */
export class KeptTranslations {
  readonly secret: readonly [number, number];
  /** Regions by the low half of the key of their first blocks. */
  private readonly byFirst = new Map<number, Kept[]>();
  private readonly filter = new Uint8Array(FILTER_SIZE);
  private readonly maxBytes: number;
  private bytes = 0;
  private news = 0;

  constructor(
    { saved, secret, maxBytes }: KeptTranslationsOptions,
    private readonly helpers: HelperNames,
  ) {
    this.maxBytes = maxBytes;
    this.secret = secret;
    if (saved === null) return;
    const reader = new ByteReader(saved);
    this.secret = [reader.word(), reader.word()];
    const types = (): ValueType[] => reader.list(() => VALUE_TYPES[reader.byte()] ?? "i32");
    for (let count = reader.unsigned(); count > 0; count--) {
      const name = String.fromCharCode(...reader.bytes(reader.byte()));
      helpers.numberOf(name, { parameters: types(), results: types() });
    }
    while (!reader.done) {
      const age = reader.byte() + 1;
      const [slot, low, high] = [reader.unsigned(), reader.word(), reader.word()];
      const data = reader.bytes(reader.unsigned());
      if (age <= MAX_AGE) this.insert(new Kept(slot, low, high, data, age));
    }
  }

  /** Regions of which the block with a header is the first. Leaves its key in `keys`, unless there are none. */
  candidates(view: DataView, block: number, keys: BlockKeys): readonly Kept[] {
    if (this.filter[slotOf(view, block)] === 0) return [];
    keys.compute(block);
    return (this.byFirst.get(keys.low) ?? []).filter(({ high }) => high === keys.high);
  }

  /** Keeps a region whose first block has the header `block`, instead of those of its first block that it contains. */
  keep(region: KeptRegion, view: DataView, block: number): void {
    const [first] = region.blocks;
    if (first === undefined) return;
    if (this.bytes > this.maxBytes) this.evict();
    const has = new Set(region.blocks.map(({ low, high }) => `${low}:${high}`));
    const others = (this.byFirst.get(first.low) ?? []).filter((kept) => {
      const isInside = kept.read().blocks.every(({ low, high }) => has.has(`${low}:${high}`));
      if (isInside) this.bytes -= kept.data.length;
      return !isInside;
    });
    this.byFirst.set(first.low, others);
    const out = new ByteWriter(region.body.bytes.length + 512);
    writeRegion(out, region);
    this.insert(new Kept(slotOf(view, block), first.low, first.high, out.bytes.slice(), 0));
    this.news++;
  }

  /** Regions that were not there at the beginning. */
  get additions(): number {
    return this.news;
  }

  /**
   * Everything that is worth keeping, for {@link KeptTranslationsOptions.saved}, piece by piece. A piece is valid until the
   * next one is taken.
   */
  *save(): Iterable<Uint8Array> {
    const header = new ByteWriter();
    for (const half of this.secret) header.word(half);
    const types = (list: readonly ValueType[]): void => {
      header.unsigned(list.length);
      for (const type of list) header.byte(VALUE_TYPES.indexOf(type));
    };
    header.unsigned(this.helpers.all.length);
    for (const { name, signature } of this.helpers.all) {
      header.byte(name.length);
      for (let i = 0; i < name.length; i++) header.byte(name.charCodeAt(i));
      types(signature.parameters);
      types(signature.results);
    }
    yield header.bytes;
    let out = new ByteWriter(PIECE + (PIECE >> 1));
    for (const { age, slot, low, high, data } of [...this.byFirst.values()].flat()) {
      out.byte(age);
      out.unsigned(slot);
      out.word(low);
      out.word(high);
      out.unsigned(data.length);
      out.append(data);
      if (out.length < PIECE) continue;
      yield out.bytes;
      out = new ByteWriter(PIECE + (PIECE >> 1));
    }
    yield out.bytes;
  }

  /** Drops a quarter of all bytes: what has not been used for longest, and was made first. */
  private evict(): void {
    const all = [...this.byFirst.values()].flat().sort((a, b) => a.age - b.age);
    this.byFirst.clear();
    this.filter.fill(0);
    this.bytes = 0;
    const young = all.filter(({ age }) => age === 0);
    const order = [...young.reverse(), ...all.slice(young.length)];
    for (const kept of order) if (this.bytes + kept.data.length <= (this.maxBytes * 3) / 4) this.insert(kept);
  }

  private insert(kept: Kept): void {
    this.filter[kept.slot] = 1;
    this.bytes += kept.data.length;
    const others = this.byFirst.get(kept.low);
    if (others === undefined) this.byFirst.set(kept.low, [kept]);
    else others.push(kept);
  }
}

/** A number that is quick to compute, by which most blocks are known to be the first of nothing. */
function slotOf(view: DataView, block: number): number {
  const handler = view.getUint32(block + BLOCK_HEADER_SIZE + RECORD_SIZE + RecordField.Handler, true);
  const offset = view.getUint16(block + BlockField.PageOffset, true);
  const records = view.getUint16(block + BlockField.Records, true);
  return (Math.imul(offset + (handler << 12) + (records << 24), 0x9e37_79b1) >>> 16) & (FILTER_SIZE - 1);
}
