// SPDX-License-Identifier: Apache-2.0
import { BLOCK_HEADER_SIZE, BlockField, RECORD_SIZE, RecordField } from "@isola/engine";
import type { FunctionBody, Mark } from "@isola/wasm";
import type { Form } from "../../table/form.js";
import type { HelperNames } from "../helper-names.js";
import type { Region, RegionBlock } from "../region.js";
import type { HotBlock, RegionFormer } from "../region-former.js";
import { mayLeaveImage } from "../relocation.js";
import { BlockKeys } from "./block-key.js";
import type { KeptRegion } from "./kept-region.js";
import { KeptTranslations, type KeptTranslationsOptions } from "./kept-translations.js";

/** Entries of a block whose code is kept before that code is looked for: until then more of its region has been decoded. */
const PATIENCE = 32;
/** The next attempt follows after so many times as many entries. */
const GROWTH = 4;
const ATTEMPTS = 4;

/** Code of an earlier run with its place in this one. */
export interface Reused {
  readonly region: Region;
  readonly body: FunctionBody;
  readonly marks: readonly Mark[];
  readonly promoted: boolean;
}

/** Puts regions of earlier runs in their places, and keeps those of this one for later. */
export class Keeper {
  private readonly translations: KeptTranslations;
  private readonly keys: BlockKeys;
  /** Blocks whose code is kept but not in use, by the addresses of their headers: how often it was looked for in vain. */
  private readonly attempts = new Map<number, number>();

  constructor(
    options: KeptTranslationsOptions,
    private readonly view: DataView,
    private readonly former: RegionFormer,
    names: HelperNames,
    formOf: (handler: number) => Form,
    /** Entries after which a block becomes hot. */
    private readonly threshold: number,
    /** Makes it as if the interpreter had entered a block so often. */
    private readonly setHeat: (block: number, heat: number) => void,
  ) {
    this.translations = new KeptTranslations(options, names);
    this.keys = new BlockKeys(view, formOf, this.translations.secret);
  }

  /** A block has been decoded. */
  noteDecoded(block: number): void {
    this.attempts.delete(block);
    if (this.translations.candidates(this.view, block, this.keys).length === 0) return;
    this.attempts.set(block, 0);
    this.waitFor(block, PATIENCE);
  }

  /** Whether the code of a block is kept, and may be found soon: it had a region of its own beside others that contain it. */
  expects(block: number): boolean {
    return this.attempts.has(block);
  }

  /** The code for a hot block; null if there is none, "later" if blocks of it have not been decoded yet. */
  find(hot: HotBlock): Reused | "later" | null {
    const block = hot.head - BLOCK_HEADER_SIZE;
    const before = this.attempts.get(block);
    if (before === undefined) return null;
    this.attempts.delete(block);
    const candidates = this.translations.candidates(this.view, block, this.keys);
    const mode = this.view.getUint16(block + BlockField.ModeKey, true);
    for (const kept of candidates) {
      const region = this.translations.read(kept);
      if (region === null) continue;
      const blocks = this.former.locate(hot, region.blocks);
      if (blocks === null || !this.isSame(blocks, region)) continue;
      kept.age = 0;
      const { entries, body, marks, promoted } = region;
      return { region: { blocks, entries, mode }, body, marks, promoted };
    }
    const attempts = before + 1;
    if (candidates.length === 0 || attempts > ATTEMPTS) return null;
    this.attempts.set(block, attempts);
    this.waitFor(block, PATIENCE * GROWTH ** attempts);
    return "later";
  }

  /** Keeps a region that has been compiled. */
  keep(region: Region, promoted: boolean, body: FunctionBody, marks: readonly Mark[]): void {
    const [first] = region.blocks;
    if (first === undefined) return;
    const { mode, entries } = region;
    const blocks = region.blocks.map((block) => {
      const { address, delta } = block;
      this.keys.compute(address);
      const { low, high } = this.keys;
      const pageOffset = this.view.getUint16(address + BlockField.PageOffset, true);
      const displacement = block.taken?.kind === "block" ? this.displacement(block) : 0;
      return { low, high, delta, pageOffset, farJump: mayLeaveImage(displacement) ? displacement : 0 };
    });
    this.translations.keep({ mode, promoted, blocks, entries, body, marks }, this.view, first.address);
  }

  /** What is worth keeping, or null if nothing is new. */
  save(): Iterable<Uint8Array> | null {
    return this.translations.additions === 0 ? null : this.translations.save();
  }

  private isSame(blocks: readonly RegionBlock[], region: KeptRegion): boolean {
    return blocks.every((block, i) => {
      const kept = region.blocks[i];
      if (kept === undefined) return false;
      this.keys.compute(block.address);
      const isEqual = this.keys.low === kept.low && this.keys.high === kept.high;
      return isEqual && (kept.farJump === 0 || this.displacement(block) === kept.farJump);
    });
  }

  /** Of the jump at the end of a block. */
  private displacement({ head, records }: RegionBlock): number {
    return this.view.getInt32(head + (records - 1) * RECORD_SIZE + RecordField.Displacement, true);
  }

  /** Makes a block hot after some more entries. */
  private waitFor(block: number, entries: number): void {
    this.setHeat(block, Math.max(0, this.threshold - entries));
  }
}
