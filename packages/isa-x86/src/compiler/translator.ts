// SPDX-License-Identifier: Apache-2.0
import {
  BLOCK_HEADER_SIZE,
  BlockField,
  HeadField,
  HOT_ENTRY_SIZE,
  HOT_QUEUE,
  HotField,
  RecordField,
} from "@isola/engine";
import type { WasmModule } from "@isola/ports";
import { formOfHandler } from "../interpreter/handlers.js";
import { Special } from "../interpreter/special.js";
import type { Form } from "../table/form.js";
import { Batch, type BatchMember, EXIT_TARGETS, type ModuleEnvironment } from "./batch.js";
import { compileRegion } from "./compile-region.js";
import { HelperNames } from "./helper-names.js";
import type { KeptTranslationsOptions } from "./kept/kept-translations.js";
import { Keeper } from "./kept/keeper.js";
import { type HotBlock, RegionFormer } from "./region-former.js";
import type { Region, RegionBlock } from "./region.js";
import type { TranslationPolicy } from "./policy.js";
import { emptyStatistics, type TranslatorStatistics } from "./statistics.js";

/** Entries in front of the queue's first. */
const QUEUE_HEADER = 64;
/** A block inside a region that is in use becomes hot again after this part of the threshold. */
const PATIENCE = 4;

export interface TranslatorOptions extends ModuleEnvironment {
  /** First slot of the table that regions may use; all up to its length are theirs. */
  readonly firstSlot: number;
  readonly forms: readonly Form[];
  readonly policy: TranslationPolicy;
  /** Code of earlier runs, or null if none is kept. */
  readonly kept: KeptTranslationsOptions | null;
}

/** A region that is in the table, or on its way there. */
interface Translation {
  /** Addresses of its blocks' headers. */
  readonly blocks: Uint32Array;
  /** Bytes of WebAssembly. */
  readonly size: number;
  /** Its slot of the table. */
  readonly slot: number;
  /** It takes in what it calls, and is not compiled anew. */
  readonly promoted: boolean;
  /** Blocks at which it is entered. */
  entries: number;
  live: boolean;
}

/** A batch that another thread has compiled. */
interface Finished {
  readonly batch: Batch;
  readonly translations: readonly Translation[];
  readonly module: WasmModule;
}

/**
 * The second tier: turns blocks that the interpreter has found hot into compiled regions and puts them where the
 * interpreter and other regions find them, by exchanging the handler of a block's first record. Blocks die when their
 * bytes are written; the regions that contain them are then dropped before anything runs again.
 */
export class Translator {
  readonly statistics: TranslatorStatistics = emptyStatistics();
  private readonly view: DataView;
  private readonly former: RegionFormer;
  private readonly formOf = (handler: number): Form => formOfHandler(this.options.forms, handler);
  private readonly names = new HelperNames();
  private readonly keeper: Keeper | null;
  private readonly freeSlots: number[] = [];
  private nextSlot: number;
  /** Translations that contain a block, by the address of its header. */
  private readonly byBlock = new Map<number, Translation[]>();
  private readonly bySlot = new Map<number, Translation>();
  /** In the order in which they were made. */
  private readonly translations = new Set<Translation>();
  /** Those of the batch that another thread is compiling; hot blocks wait in their queue until it is done. */
  private readonly pending = new Set<Translation>();
  private liveBytes = 0;
  private finished: Finished | null = null;
  private failure: unknown = null;

  constructor(private readonly options: TranslatorOptions) {
    this.view = new DataView(options.memory.buffer);
    this.former = new RegionFormer(this.view, options.helpers, this.formOf);
    this.nextSlot = options.firstSlot;
    this.keeper =
      options.kept === null
        ? null
        : new Keeper(
            options.kept,
            this.view,
            this.former,
            this.names,
            this.formOf,
            options.policy.threshold,
            (block, heat) => options.helpers.setHeat(block, heat),
          );
  }

  get policy(): TranslationPolicy {
    return this.options.policy;
  }

  /** Does what has come up while guest code ran: drops dead regions, installs compiled ones, compiles hot blocks. */
  work(): void {
    this.dropDead();
    if (this.finished !== null) this.installFinished(this.finished);
    if (this.failure !== null) throw this.failure;
    if (this.pending.size > 0) return;
    const count = this.view.getUint32(HOT_QUEUE, true);
    if (count === 0) return;
    this.view.setUint32(HOT_QUEUE, 0, true);
    const hot: HotBlock[] = [];
    for (let i = 0; i < count; i++) {
      const entry = HOT_QUEUE + QUEUE_HEADER + i * HOT_ENTRY_SIZE;
      hot.push({
        head: this.view.getUint32(entry + HotField.Record, true),
        cpu: this.view.getUint32(entry + HotField.Cpu, true),
        context: this.view.getUint32(entry + HotField.Context, true),
        codeBase: this.view.getBigUint64(entry + HotField.CodeBase, true),
      });
    }
    this.translate(hot);
  }

  /** The memory of all blocks in `[start, end)`, which have died, is about to be used again. */
  forgetBlocks(start: number, end: number): void {
    this.dropDead();
    const { view } = this;
    const count = view.getUint32(HOT_QUEUE, true);
    const entryAt = (index: number): number => HOT_QUEUE + QUEUE_HEADER + index * HOT_ENTRY_SIZE;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const head = view.getUint32(entryAt(i) + HotField.Record, true);
      if (head >= start && head < end) continue;
      for (let at = 0; at < HOT_ENTRY_SIZE; at += 4)
        view.setUint32(entryAt(kept) + at, view.getUint32(entryAt(i) + at, true), true);
      kept++;
    }
    view.setUint32(HOT_QUEUE, kept, true);
  }

  /** Compiles the regions that begin with the given blocks, in one module. */
  translate(hot: readonly HotBlock[]): void {
    const { policy, wasm } = this.options;
    const batch = new Batch(this.options, this.view, this.names);
    for (const block of hot) {
      // Since it became hot it may have died.
      if (this.view.getUint16(block.head - BLOCK_HEADER_SIZE + BlockField.Dead, true) !== 0) continue;
      const known = this.bySlot.get(this.view.getUint32(block.head + RecordField.Handler, true));
      if (known !== undefined) this.promote(block, known, batch);
      else if (!this.reuse(block, batch) && (policy.atOnce === true || !this.canWait(block, batch))) {
        const region = this.former.form(block, policy.minimumHeat, false);
        if (region !== null) this.compile(region, false, batch);
      }
    }
    const { members } = batch;
    if (members.length === 0) return;
    if (this.liveBytes + batch.size > policy.maxBytes || this.slotsLeft() < members.length) this.evict();
    const translations = members.map((member) => this.register(member));
    const bytes = batch.build(translations.map(({ slot }) => slot));
    this.statistics.wasmBytes += bytes.length;
    this.statistics.modules++;
    if (policy.background !== true) {
      this.install(batch, translations, wasm.compile(bytes));
      return;
    }
    for (const translation of translations) this.pending.add(translation);
    wasm.compileInBackground(bytes).then(
      (module) => (this.finished = { batch, translations, module }),
      (error: unknown) => (this.failure = error),
    );
  }

  /** Compiles a region that is entered often anew, with what it calls, unless that is in it already. */
  private promote(block: HotBlock, known: Translation, batch: Batch): void {
    const { promotion, minimumHeat } = this.policy;
    // It may have joined the queue before it became an entry, and counts anew since then.
    const heat = this.view.getInt32(block.head + HeadField.Heat, true);
    if (known.promoted || promotion === 0 || heat < promotion) return;
    const region = this.former.form(block, minimumHeat, true);
    const old = new Set(known.blocks);
    if (region !== null && region.blocks.some(({ address }) => !old.has(address))) this.compile(region, true, batch);
  }

  private compile(region: Region, promoted: boolean, batch: Batch): void {
    const [anyForm] = this.options.forms;
    if (anyForm === undefined) throw new Error("the opcode table is empty");
    const code = compileRegion(region, {
      view: this.view,
      formOf: this.formOf,
      helpers: (name, parameters, result) =>
        this.names.numberOf(name, { parameters, results: result === null ? [] : [result] }),
      exits: EXIT_TARGETS,
      anyForm,
      promotion: promoted ? 0 : this.policy.promotion,
    });
    this.keeper?.keep(region, promoted, code, code.marks);
    batch.add(region, code, code.marks, promoted);
  }

  /** Takes the code of an earlier run for a block that has become hot. False if there is none, now or at all. */
  private reuse(block: HotBlock, batch: Batch): boolean {
    if (this.keeper === null) return false;
    const found = this.keeper.find(block);
    if (found === "later") return true;
    if (found === null) return false;
    batch.add(found.region, found.body, found.marks, found.promoted);
    this.statistics.reused++;
    return true;
  }

  /** A block has been decoded: if its code is known from an earlier run, it becomes hot soon. */
  noteDecoded(block: number): void {
    this.keeper?.noteDecoded(block);
  }

  /** What a later run may begin with, or null if nothing is kept or there is nothing new. */
  saveTranslations(): Iterable<Uint8Array> | null {
    return this.keeper?.save() ?? null;
  }

  /**
   * All blocks of a loop or a function become hot at about the same time, and the region of the first contains the
   * others: most of them are hardly interpreted once it is in use, so until then they need none of their own.
   */
  private canWait({ head }: HotBlock, batch: Batch): boolean {
    if (batch.blocks.has(head - BLOCK_HEADER_SIZE)) return true;
    // It was cooled after it had joined the queue.
    return this.view.getInt32(head + HeadField.Heat, true) < this.policy.threshold;
  }

  private installFinished({ batch, translations, module }: Finished): void {
    this.finished = null;
    this.pending.clear();
    this.install(batch, translations, module);
  }

  /** Makes the death of any of a region's blocks be heard of. */
  private register({ region, body, promoted }: BatchMember): Translation {
    const size = body.bytes.length;
    const blocks = Uint32Array.from(new Set(region.blocks.map(({ address }) => address)));
    const translation = { blocks, size, slot: this.allocateSlot(), promoted, entries: 0, live: true };
    this.translations.add(translation);
    this.bySlot.set(translation.slot, translation);
    this.liveBytes += size;
    for (const block of blocks) {
      const known = this.byBlock.get(block);
      if (known === undefined) this.byBlock.set(block, [translation]);
      else known.push(translation);
      this.view.setUint16(block + BlockField.Compiled, 1, true);
    }
    return translation;
  }

  private install(batch: Batch, translations: readonly Translation[], module: WasmModule): void {
    const { statistics } = this;
    batch.instantiate(module);
    translations.forEach((translation, i) => {
      const { slot } = translation;
      const region = batch.members[i]?.region;
      if (!translation.live || region === undefined) {
        // Its code was written while it was being compiled.
        this.releaseSlot(slot);
        return;
      }
      for (const index of region.entries) {
        const block = region.blocks[index];
        if (block !== undefined) this.enterAt(block, index, translation);
      }
      if (translation.entries === 0) this.drop(translation);
      if (translation.promoted) statistics.promoted++;
      this.cool(translation, Math.floor(this.policy.threshold * (1 - 1 / PATIENCE)));
      statistics.regions++;
      statistics.blocks += region.blocks.length;
      statistics.records += region.blocks.reduce((sum, block) => sum + block.records, 0);
    });
    statistics.live = this.translations.size;
  }

  /** Makes a block an entry of a region. Where it is one of another region already, that one stays, unless it is promoted. */
  private enterAt({ address, head, delta }: RegionBlock, index: number, translation: Translation): void {
    const { view } = this;
    const old = this.bySlot.get(view.getUint32(head + RecordField.Handler, true));
    if (old !== undefined && !translation.promoted) return;
    view.setUint16(head + HeadField.Index, index, true);
    view.setInt32(head + HeadField.Delta, delta, true);
    this.options.helpers.setHeat(address, 0);
    view.setUint32(head + RecordField.Handler, translation.slot, true);
    translation.entries++;
    if (old === undefined || --old.entries > 0) return;
    this.drop(old);
  }

  /** Drops the regions that contain blocks which have died. */
  dropDead(): void {
    let block = this.options.helpers.takeDeadBlocks() >>> 0;
    while (block !== 0) {
      const next = this.view.getUint32(block + BlockField.NextDead, true);
      for (const translation of this.byBlock.get(block) ?? []) {
        this.drop(translation);
        this.statistics.invalidated++;
      }
      this.byBlock.delete(block);
      block = next;
    }
  }

  private drop(translation: Translation): void {
    if (!translation.live) return;
    translation.live = false;
    const { blocks, slot } = translation;
    for (const block of blocks) {
      this.forget(block, translation);
      const head = block + BLOCK_HEADER_SIZE;
      if (this.view.getUint32(head + RecordField.Handler, true) !== slot) continue;
      this.options.helpers.setHeat(block, 0);
      this.view.setUint32(head + RecordField.Handler, Special.Head, true);
    }
    this.cool(translation, 0);
    this.translations.delete(translation);
    this.bySlot.delete(slot);
    this.liveBytes -= translation.size;
    // A slot that is still to be filled is released when that has happened.
    if (!this.pending.has(translation)) this.releaseSlot(slot);
    this.statistics.live = this.translations.size;
  }

  /** The blocks of a region that are interpreted are to become hot again, also if it was dropped before it was in use. */
  private cool({ blocks }: Translation, heat: number): void {
    for (const block of blocks) {
      const head = block + BLOCK_HEADER_SIZE;
      if (this.view.getUint32(head + RecordField.Handler, true) !== Special.Head) continue;
      if (this.keeper?.expects(block) === true) continue;
      const now = this.view.getInt32(head + HeadField.Heat, true);
      if (now > heat) this.options.helpers.setHeat(block, heat);
    }
  }

  private forget(block: number, translation: Translation): void {
    const rest = (this.byBlock.get(block) ?? []).filter((other) => other !== translation);
    if (rest.length === 0) this.byBlock.delete(block);
    else this.byBlock.set(block, rest);
  }

  private releaseSlot(slot: number): void {
    this.options.table.set(slot, null);
    this.freeSlots.push(slot);
  }

  /** Drops the older half of all regions; what is still hot will be compiled again. */
  private evict(): void {
    const count = Math.floor(this.translations.size / 2);
    for (const translation of [...this.translations].slice(0, count)) {
      this.drop(translation);
      this.statistics.evicted++;
    }
  }

  private slotsLeft(): number {
    return this.freeSlots.length + this.options.table.length - this.nextSlot;
  }

  private allocateSlot(): number {
    const free = this.freeSlots.pop();
    if (free !== undefined) return free;
    if (this.nextSlot >= this.options.table.length) throw new Error("the table of regions is full");
    this.statistics.slots++;
    return this.nextSlot++;
  }
}
