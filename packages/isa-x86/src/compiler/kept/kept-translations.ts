// SPDX-License-Identifier: Apache-2.0
import { BLOCK_HEADER_SIZE, BlockField, RECORD_SIZE, RecordField } from "@isola/engine";
import type { CodeLog } from "@isola/ports";
import { ByteReader, ByteWriter, type ValueType } from "@isola/wasm";
import type { HelperNames } from "../helper-names.js";
import type { BlockKeys } from "./block-key.js";
import { type KeptRegion, readRegion, writeRegion } from "./kept-region.js";

/** Starts of a machine without any use of a region after which it is not kept any longer. */
const MAX_AGE = 8;
/** The log may be so many times as long as what is kept: what is dropped stays in it. */
const LOG_FACTOR = 3;
/** Slots of the filter in front of the map of first blocks. */
const FILTER_SIZE = 1 << 16;
/** Bytes of the length in front of the header. */
const LENGTH_SIZE = 4;
const VALUE_TYPES: readonly ValueType[] = ["i32", "i64", "f32", "f64", "v128"];

/** What a machine is given to begin with. */
export interface KeptTranslationsOptions {
  /**
   * Begins with what {@link KeptTranslations.save} gave at the end of an earlier run of the same version of the program, or
   * is empty.
   */
  readonly code: CodeLog;
  /** A random number of 64 bits, for use if nothing has been saved. */
  readonly secret: readonly [number, number];
  /** Bytes that may be kept. */
  readonly maxBytes: number;
}

/** A region that is kept. */
export interface Kept {
  /** Slot of its first block in the filter, and the key of that block. */
  readonly slot: number;
  readonly low: number;
  readonly high: number;
  /** Where it is in the log of code, in bytes. */
  readonly at: number;
  readonly length: number;
  /** Starts since it has been used. */
  age: number;
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
  private readonly code: CodeLog;
  private readonly maxBytes: number;
  private bytes = 0;
  private news = 0;

  constructor(
    { code, secret, maxBytes }: KeptTranslationsOptions,
    private readonly helpers: HelperNames,
  ) {
    this.code = code;
    this.maxBytes = maxBytes;
    this.secret = this.readHeader() ?? secret;
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
      const isInside = this.read(kept)?.blocks.every(({ low, high }) => has.has(`${low}:${high}`)) === true;
      if (isInside) this.bytes -= kept.length;
      return !isInside;
    });
    this.byFirst.set(first.low, others);
    const out = new ByteWriter(region.body.bytes.length + 512);
    writeRegion(out, region);
    const at = this.code.length;
    if (at > LOG_FACTOR * this.maxBytes || !this.code.append(out.bytes)) return;
    this.insert({ slot: slotOf(view, block), low: first.low, high: first.high, at, length: out.length, age: 0 });
    this.news++;
  }

  /** A region, made anew each time, since most are needed once; null if the host has lost it. */
  read({ at, length }: Kept): KeptRegion | null {
    const data = this.code.read(at, length);
    return data === null ? null : readRegion(data);
  }

  /** Regions that were not there at the beginning. */
  get additions(): number {
    return this.news;
  }

  /**
   * Everything that is worth keeping, for {@link KeptTranslationsOptions.code}, piece by piece: the length of a header, the
   * header, which says what there is, and the regions. A piece is valid until the next one is taken. Throws if the host has
   * lost one of them.
   */
  *save(): Iterable<Uint8Array> {
    const all = [...this.byFirst.values()].flat();
    const header = new ByteWriter(1 << 16);
    this.writeHeader(header, all);
    const length = new ByteWriter(LENGTH_SIZE);
    length.word(header.length);
    yield length.bytes;
    yield header.bytes;
    for (const kept of all) {
      const data = this.code.read(kept.at, kept.length);
      if (data === null) throw new Error("the host has lost compiled code");
      yield data;
    }
  }

  private writeHeader(out: ByteWriter, all: readonly Kept[]): void {
    for (const half of this.secret) out.word(half);
    const types = (list: readonly ValueType[]): void => {
      out.unsigned(list.length);
      for (const type of list) out.byte(VALUE_TYPES.indexOf(type));
    };
    out.unsigned(this.helpers.all.length);
    for (const { name, signature } of this.helpers.all) {
      out.byte(name.length);
      for (let i = 0; i < name.length; i++) out.byte(name.charCodeAt(i));
      types(signature.parameters);
      types(signature.results);
    }
    for (const { age, slot, low, high, length } of all) {
      out.byte(age);
      out.unsigned(slot);
      out.word(low);
      out.word(high);
      out.unsigned(length);
    }
  }

  /** Takes over what was saved; returns its secret, or null if there is nothing. */
  private readHeader(): readonly [number, number] | null {
    const { code } = this;
    const size = code.length > LENGTH_SIZE ? code.read(0, LENGTH_SIZE) : null;
    if (size === null) return null;
    const length = new ByteReader(size).word();
    const header = LENGTH_SIZE + length <= code.length ? code.read(LENGTH_SIZE, length) : null;
    if (header === null) return null;
    const reader = new ByteReader(header);
    const secret = [reader.word(), reader.word()] as const;
    const types = (): ValueType[] => reader.list(() => VALUE_TYPES[reader.byte()] ?? "i32");
    for (let count = reader.unsigned(); count > 0; count--) {
      const name = String.fromCharCode(...reader.bytes(reader.byte()));
      this.helpers.numberOf(name, { parameters: types(), results: types() });
    }
    let at = LENGTH_SIZE + length;
    while (!reader.done) {
      const age = reader.byte() + 1;
      const [slot, low, high, size] = [reader.unsigned(), reader.word(), reader.word(), reader.unsigned()];
      if (age <= MAX_AGE && at + size <= code.length) this.insert({ slot, low, high, at, length: size, age });
      at += size;
    }
    return secret;
  }

  /** Drops a quarter of all bytes: what has not been used for longest, and was made first. */
  private evict(): void {
    const all = [...this.byFirst.values()].flat().sort((a, b) => a.age - b.age);
    this.byFirst.clear();
    this.filter.fill(0);
    this.bytes = 0;
    const young = all.filter(({ age }) => age === 0);
    const order = [...young.reverse(), ...all.slice(young.length)];
    for (const kept of order) if (this.bytes + kept.length <= (this.maxBytes * 3) / 4) this.insert(kept);
  }

  private insert(kept: Kept): void {
    this.filter[kept.slot] = 1;
    this.bytes += kept.length;
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
