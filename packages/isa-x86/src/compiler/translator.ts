// SPDX-License-Identifier: Apache-2.0
import {
  BLOCK_HEADER_SIZE,
  BlockField,
  HeadField,
  HOT_ENTRY_SIZE,
  HOT_QUEUE,
  HotField,
  MAX_RAM,
  memoryPages,
  RecordField,
} from "@isola/engine";
import type { WasmExports, WasmFunction, WasmHost, WasmMemory, WasmTable } from "@isola/ports";
import { type CodeBuilder, ModuleBuilder, type Signature, type ValueType } from "@isola/wasm";
import type { Helpers } from "../cpu/helpers.js";
import { INTERPRETER_PARTS } from "../interpreter/parts.js";
import { Special } from "../interpreter/special.js";
import type { Form } from "../table/form.js";
import { compileRegion } from "./compile-region.js";
import { type HotBlock, RegionFormer } from "./region-former.js";
import type { Region } from "./region.js";
import type { TranslationPolicy } from "./policy.js";
import { emptyStatistics, type TranslatorStatistics } from "./statistics.js";

const HANDLER: Signature = { parameters: ["i32", "i32"], results: ["i32"] };
/** Entries in front of the queue's first. */
const QUEUE_HEADER = 64;

export interface TranslatorOptions {
  readonly wasm: WasmHost;
  readonly memory: WasmMemory;
  readonly table: WasmTable;
  /** First slot of the table that regions may use; all up to its length are theirs. */
  readonly firstSlot: number;
  readonly helpers: Helpers & WasmExports;
  readonly interpreter: WasmExports;
  readonly forms: readonly Form[];
  readonly policy: TranslationPolicy;
}

/** A region that is in the table. */
interface Translation {
  readonly region: Region;
  readonly slot: number;
  live: boolean;
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
  private readonly freeSlots: number[] = [];
  private nextSlot: number;
  /** Translations that contain a block, by the address of its header. */
  private readonly byBlock = new Map<number, Set<Translation>>();
  /** In the order in which they were made. */
  private readonly translations = new Set<Translation>();

  constructor(private readonly options: TranslatorOptions) {
    this.view = new DataView(options.memory.buffer);
    this.former = new RegionFormer(this.view, options.helpers, (handler) => this.formOf(handler));
    this.nextSlot = options.firstSlot;
  }

  get policy(): TranslationPolicy {
    return this.options.policy;
  }

  /** Does what has come up while guest code ran: drops dead regions, compiles hot blocks. */
  work(): void {
    this.dropDead();
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

  /** Compiles the regions that begin with the given blocks, in one module. */
  translate(hot: readonly HotBlock[]): void {
    const { policy } = this.options;
    const batch = new Batch(this.options, this.view, (handler) => this.formOf(handler));
    for (const block of hot) {
      // Since it became hot it may have died, or have become the entry of a region.
      if (this.view.getUint32(block.head + RecordField.Handler, true) !== Special.Head) continue;
      if (this.view.getUint16(block.head - BLOCK_HEADER_SIZE + BlockField.Dead, true) !== 0) continue;
      const region = this.former.form(block, policy.minimumHeat);
      if (region !== null) batch.add(region);
    }
    if (batch.regions.length === 0) return;
    if (this.translations.size + batch.regions.length > policy.maxRegions) this.evict();
    this.install(batch);
  }

  private install(batch: Batch): void {
    const { statistics } = this;
    const slots = batch.regions.map(() => this.allocateSlot());
    statistics.wasmBytes += batch.instantiate(slots);
    statistics.modules++;
    batch.regions.forEach((region, i) => {
      const slot = slots[i] ?? 0;
      const translation: Translation = { region, slot, live: true };
      this.translations.add(translation);
      for (const block of region.blocks) {
        const known = this.byBlock.get(block.address);
        if (known === undefined) this.byBlock.set(block.address, new Set([translation]));
        else known.add(translation);
        this.view.setUint16(block.address + BlockField.Compiled, 1, true);
        statistics.records += block.records;
      }
      for (const index of region.entries) {
        const block = region.blocks[index];
        if (block === undefined) continue;
        // Blocks with the rest of an instruction in another page are looked up every time, by the interpreter.
        if (block.secondFrame >= 0) continue;
        this.view.setUint16(block.head + HeadField.Index, index, true);
        this.view.setInt32(block.head + HeadField.Delta, block.delta, true);
        this.view.setUint32(block.head + RecordField.Handler, slot, true);
      }
      statistics.regions++;
      statistics.blocks += region.blocks.length;
    });
    statistics.live = this.translations.size;
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
    const { region, slot } = translation;
    for (const block of region.blocks) {
      const others = this.byBlock.get(block.address);
      others?.delete(translation);
      if (others?.size === 0) this.byBlock.delete(block.address);
      if (this.view.getUint32(block.head + RecordField.Handler, true) === slot) {
        this.view.setUint32(block.head + RecordField.Handler, Special.Head, true);
        this.view.setInt32(block.head + HeadField.Heat, 0, true);
      }
    }
    this.options.table.set(slot, null);
    this.freeSlots.push(slot);
    this.translations.delete(translation);
    this.statistics.live = this.translations.size;
  }

  /** Drops the older half of all regions; what is still hot will be compiled again. */
  private evict(): void {
    const count = Math.floor(this.translations.size / 2);
    for (const translation of [...this.translations].slice(0, count)) {
      this.drop(translation);
      this.statistics.evicted++;
    }
  }

  private allocateSlot(): number {
    const free = this.freeSlots.pop();
    if (free !== undefined) return free;
    if (this.nextSlot >= this.options.table.length) throw new Error("the table of regions is full");
    return this.nextSlot++;
  }

  private formOf(handler: number): Form {
    const form = this.options.forms[handler - Special.Count];
    if (form === undefined) throw new Error(`handler ${handler} belongs to no instruction`);
    return form;
  }
}

/** Regions that are compiled into one module. */
class Batch {
  readonly regions: Region[] = [];
  private readonly bodies: CodeBuilder[] = [];
  private readonly module = new ModuleBuilder();
  private readonly imports = new Map<string, number>();
  private readonly handlerType: number;

  constructor(
    private readonly options: TranslatorOptions,
    private readonly view: DataView,
    private readonly formOf: (handler: number) => Form,
  ) {
    this.handlerType = this.module.typeIndex(HANDLER);
  }

  add(region: Region): void {
    const [anyForm] = this.options.forms;
    if (anyForm === undefined) throw new Error("the opcode table is empty");
    const part = (name: (typeof INTERPRETER_PARTS)[number]): number => this.import("interpreter", name, HANDLER);
    const body = compileRegion(region, {
      view: this.view,
      formOf: this.formOf,
      helpers: (name, parameters, result) => this.helper(name, parameters, result),
      exits: {
        handlerType: this.handlerType,
        raise: part("raise"),
        enter: part("enter"),
        linkTaken: part("linkTaken"),
        linkNotTaken: part("linkNotTaken"),
        trap: part("trap"),
      },
      anyForm,
    });
    this.regions.push(region);
    this.bodies.push(body);
  }

  /** Puts the compiled regions into the given slots of the table. Returns the size of the module in bytes. */
  instantiate(slots: readonly number[]): number {
    const { module, options } = this;
    module.importMemory("env", "memory", 1, memoryPages(MAX_RAM), false);
    module.importTable("env", "table", 1);
    this.bodies.forEach((body, i) => {
      const index = module.declareFunction(HANDLER);
      module.defineFunction(index, body);
      module.element(slots[i] ?? 0, [index]);
    });
    const bytes = module.build();
    options.wasm.instantiate(options.wasm.compile(bytes), {
      env: { memory: options.memory, table: options.table },
      helpers: options.helpers as unknown as Readonly<Record<string, WasmFunction>>,
      interpreter: options.interpreter as Readonly<Record<string, WasmFunction>>,
    });
    return bytes.length;
  }

  private helper(name: string, parameters: readonly ValueType[], result: ValueType | null): number {
    return this.import("helpers", name, { parameters, results: result === null ? [] : [result] });
  }

  private import(from: string, name: string, signature: Signature): number {
    const key = `${from}.${name}`;
    let index = this.imports.get(key);
    if (index === undefined) {
      index = this.module.importFunction(from, name, signature);
      this.imports.set(key, index);
    }
    return index;
  }
}
