// SPDX-License-Identifier: Apache-2.0
import { MAX_MEMORY_PAGES } from "@isola/engine";
import type { WasmExports, WasmFunction, WasmHost, WasmMemory, WasmModule, WasmTable } from "@isola/ports";
import { type FunctionBody, type Mark, ModuleBuilder, type Signature } from "@isola/wasm";
import type { Helpers } from "../cpu/helpers.js";
import { INTERPRETER_PARTS } from "../interpreter/parts.js";
import type { HelperNames } from "./helper-names.js";
import type { Region } from "./region.js";
import type { ExitTargets } from "./region-border.js";
import { relocate } from "./relocation.js";

/** Of handlers and regions: (record, cpu) -> exit reason. */
export const HANDLER: Signature = { parameters: ["i32", "i32"], results: ["i32"] };

/** A region and its code. */
export interface BatchMember {
  readonly region: Region;
  readonly body: FunctionBody;
  readonly promoted: boolean;
}

/** What modules of regions import. */
export interface ModuleEnvironment {
  readonly wasm: WasmHost;
  readonly memory: WasmMemory;
  readonly table: WasmTable;
  readonly helpers: Helpers & WasmExports;
  readonly interpreter: WasmExports;
}

/** Indices of types and functions that are the same in all modules, since they come first. */
export const EXIT_TARGETS: ExitTargets = {
  handlerType: 0,
  ...(Object.fromEntries(INTERPRETER_PARTS.map((name, i) => [name, i])) as Record<
    (typeof INTERPRETER_PARTS)[number],
    number
  >),
};

/** Regions that are compiled into one module. */
export class Batch {
  readonly members: BatchMember[] = [];
  /** Addresses of their blocks' headers. */
  readonly blocks = new Set<number>();
  private readonly module = new ModuleBuilder();
  /** Indices of imported helpers, by their numbers. */
  private readonly imports = new Map<number, number>();

  constructor(
    private readonly environment: ModuleEnvironment,
    private readonly view: DataView,
    private readonly names: HelperNames,
  ) {
    this.module.typeIndex(HANDLER);
    for (const name of INTERPRETER_PARTS) this.module.importFunction("interpreter", name, HANDLER);
  }

  /**
   * Takes a region in, whose code is put in its place.
   * @param promoted the region will not be compiled anew
   */
  add(region: Region, body: FunctionBody, marks: readonly Mark[], promoted: boolean): void {
    relocate(body.bytes, marks, region.blocks, this.view, (helper) => this.importIndex(helper));
    this.members.push({ region, body, promoted });
    for (const { address } of region.blocks) this.blocks.add(address);
  }

  /** Bytes of WebAssembly in all regions. */
  get size(): number {
    return this.members.reduce((sum, { body }) => sum + body.bytes.length, 0);
  }

  /** The binary module, which puts its regions into the given slots of the table when it is instantiated. */
  build(slots: readonly number[]): Uint8Array {
    const { module } = this;
    module.importMemory("env", "memory", 1, MAX_MEMORY_PAGES, false);
    module.importTable("env", "table", 1);
    this.members.forEach(({ body }, i) => {
      const index = module.declareFunction(HANDLER);
      module.defineFunction(index, body);
      module.element(slots[i] ?? 0, [index]);
    });
    return module.build();
  }

  instantiate(module: WasmModule): void {
    const { wasm, memory, table, helpers, interpreter } = this.environment;
    wasm.instantiate(module, {
      env: { memory, table },
      helpers: helpers as unknown as Readonly<Record<string, WasmFunction>>,
      interpreter: interpreter as Readonly<Record<string, WasmFunction>>,
    });
  }

  private importIndex(helper: number): number {
    let index = this.imports.get(helper);
    if (index === undefined) {
      const { name, signature } = this.names.at(helper);
      index = this.module.importFunction("helpers", name, signature);
      this.imports.set(helper, index);
    }
    return index;
  }
}
