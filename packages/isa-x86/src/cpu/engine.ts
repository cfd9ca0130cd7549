// SPDX-License-Identifier: Apache-2.0
import {
  ARENA,
  ARENA_HALF_SIZE,
  CPU_RECORDS,
  CPU_STRIDE,
  MAX_CPUS,
  MAX_EXTRA_MEMORY,
  memoryPages,
  RAM_BASE,
} from "@isola/engine";
import { assert } from "@isola/base";
import { type AccessSize, type Bus, GuestRam } from "@isola/memory";
import type { WasmFunction, WasmHost } from "@isola/ports";
import type { CodeCounterValues } from "../counters/code-counters.js";
import { readCodeCounters } from "../counters/counter-layout.js";
import { Breakpoints } from "../debug/breakpoints.js";
import { TimedTranslator, type TranslationTimer } from "../counters/timed-translator.js";
import { BlockDecoder } from "../decode/block-decoder.js";
import type { KeptTranslationsOptions } from "../compiler/kept/kept-translations.js";
import { type Translation, TRANSLATION_POLICIES, type TranslationPolicy } from "../compiler/policy.js";
import { formOfHandler, indexHandlers } from "../interpreter/handlers.js";
import type { Form } from "../table/form.js";
import type { Helpers } from "./helpers.js";
import { PhysicalMap } from "./physical-map.js";

/** The two binary modules that the build makes: assembly/ and interpreter/generate.ts. */
export interface EngineModules {
  readonly helpers: Uint8Array;
  readonly interpreter: Uint8Array;
}

export interface EngineOptions {
  readonly wasm: WasmHost;
  readonly modules: EngineModules;
  /** Bytes of guest RAM, a multiple of 4 KiB. */
  readonly ramSize: number;
  /** Bytes of memory beside RAM, such as ROM and video memory, a multiple of 4 KiB; see {@link PhysicalMap}. */
  readonly extraMemory?: number;
  readonly cpuCount: number;
  /** Devices behind physical addresses that are not RAM. */
  readonly mmio: Bus;
  /** How guest code is executed: one of the usual ways, or a policy of its own, for tests. */
  readonly translation: Translation | TranslationPolicy;
  /** Ticks of the machine's time-stamp counter, a whole number; guest code asks for it while it runs. */
  readonly ticks: () => number;
  /**
   * `ticks` follows a host's clock in nanoseconds. A guest that reads its counter often then gets, for some microseconds
   * and as long as no device is accessed, an estimate that never runs ahead of the clock.
   */
  readonly estimateTicks?: boolean;
  /** Code of earlier runs of the same guest. */
  readonly keptTranslations?: KeptTranslationsOptions;
  /** Measures what translation takes. */
  readonly timer?: TranslationTimer;
}

/** Where nobody wants to know how long translation takes. */
const NO_TIMER: TranslationTimer = { now: () => 0, moduleTime: () => 0 };

/** Slots of the function table for compiled regions. */
const REGION_SLOTS = 16_384;

/** What all vCPUs of a machine share: linear memory, generated code, the cache of decoded blocks. */
export class X86Engine {
  readonly buffer: ArrayBufferLike;
  readonly view: DataView;
  readonly ram: GuestRam;
  /** What physical addresses are backed by, for chip sets that switch it. */
  readonly physical: PhysicalMap;
  readonly cpuCount: number;
  readonly helpers: Helpers;
  readonly decoder: BlockDecoder;
  readonly translator: TimedTranslator;
  /** Of a debugger on the host. */
  readonly breakpoints: Breakpoints;
  /** Runs guest code: `enter(0, cpu)` returns an `Exit`. */
  readonly enter: (record: number, cpu: number) => number;
  /** Forms of instructions by handler number less `Special.Count`. */
  readonly forms: readonly Form[];

  constructor(options: EngineOptions) {
    const { wasm, modules, ramSize, cpuCount, mmio, translation, ticks } = options;
    assert(cpuCount >= 1 && cpuCount <= MAX_CPUS, `a machine has 1 to ${MAX_CPUS} vCPUs`);
    this.cpuCount = cpuCount;
    const extraMemory = options.extraMemory ?? 0;
    assert(extraMemory <= MAX_EXTRA_MEMORY, "too much memory beside RAM");
    const pages = memoryPages(ramSize + extraMemory);
    const memory = wasm.createMemory(pages, pages, false);
    this.buffer = memory.buffer;
    this.view = new DataView(this.buffer);
    this.ram = new GuestRam(this.buffer, RAM_BASE, ramSize);

    const host = {
      mmioRead: (low: number, high: number, bytes: number) =>
        mmio.read((high >>> 0) * 0x1_0000_0000 + (low >>> 0), bytes as AccessSize),
      mmioWrite: (low: number, high: number, bytes: number, value: number) =>
        mmio.write((high >>> 0) * 0x1_0000_0000 + (low >>> 0), bytes as AccessSize, value),
      machineTicks: ticks,
      codePageMapped: (low: number, high: number, frame: number) =>
        this.breakpoints.mapped(((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)) >> 12n, frame),
    };
    const exports = wasm.instantiate(wasm.compile(modules.helpers), { env: { memory }, host });
    this.helpers = exports as unknown as Helpers;
    const index = indexHandlers();
    this.forms = index.forms;
    const table = wasm.createTable(index.count + REGION_SLOTS);
    const interpreter = wasm.instantiate(wasm.compile(modules.interpreter), {
      env: { memory, table },
      helpers: exports as unknown as Readonly<Record<string, WasmFunction>>,
    });
    this.enter = interpreter["enter"] as (record: number, cpu: number) => number;

    this.helpers.configureRam(this.ram.lowSize, this.ram.highSize);
    this.helpers.configureCpus(cpuCount);
    const cpus = Array.from({ length: cpuCount }, (_, i) => this.cpuRecord(i));
    this.breakpoints = new Breakpoints({ helpers: this.helpers, cpus });
    this.helpers.estimateTicks(options.estimateTicks === true ? 1 : 0);
    const records = Array.from({ length: cpuCount }, (_, index) => this.cpuRecord(index));
    this.physical = new PhysicalMap(
      this.helpers,
      this.ram,
      new Uint8Array(this.buffer, RAM_BASE + ramSize, extraMemory),
      records,
    );
    const translatorOptions = {
      wasm,
      memory,
      table,
      firstSlot: index.count,
      helpers: this.helpers as Helpers & typeof exports,
      interpreter,
      forms: index.forms,
      policy: typeof translation === "string" ? TRANSLATION_POLICIES[translation] : translation,
      kept: options.keptTranslations ?? null,
    };
    this.translator = new TimedTranslator(translatorOptions, options.timer ?? NO_TIMER);
    this.decoder = new BlockDecoder(this.buffer, index, (half, used, otherUsed) => {
      this.helpers.evictHalf(half, used, otherUsed);
      const start = ARENA + half * ARENA_HALF_SIZE;
      this.translator.forgetBlocks(start, start + used);
    });
    this.decoder.breakpoints = this.breakpoints;
    this.ram.onWrite((address, length) => this.helpers.writtenByDevice(this.ram.offsetOf(address, length), length));
  }

  /** Address of the record of vCPU `index`. */
  cpuRecord(index: number): number {
    return CPU_RECORDS + index * CPU_STRIDE;
  }

  /**
   * Counters of the cache of decoded code.
   * @param instructions retired by all vCPUs
   */
  codeCounters(instructions: number): CodeCounterValues {
    this.helpers.countAllInterpreted(...this.decoder.usage);
    const counters = readCodeCounters(this.view);
    const instructionsCompiled = Math.max(0, instructions - counters.instructionsInterpreted);
    return { ...counters, instructionsCompiled, arenaBytes: this.decoder.bytesUsed };
  }

  /** Form that the handler number in a record stands for. */
  formOf(handler: number): Form {
    return formOfHandler(this.forms, handler);
  }
}
