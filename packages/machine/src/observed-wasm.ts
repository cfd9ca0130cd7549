// SPDX-License-Identifier: Apache-2.0
import type { Clock, WasmExports, WasmHost, WasmImports, WasmMemory, WasmModule, WasmTable } from "@isola/ports";

/** A step on the way of a module. Times are ns on the host's clock. */
export interface ModuleStep {
  /** What was done: on the machine's own thread, but for `background`. */
  readonly step: "compile" | "background" | "instantiate";
  /** Size of the module. */
  readonly bytes: number;
  readonly start: number;
  readonly end: number;
}

/** The host's WebAssembly, with a clock beside it. Counts from {@link begin} on. */
export class ObservedWasm implements WasmHost {
  /** Hears of every step; null unless somebody watches. */
  onStep: ((step: ModuleStep) => void) | null = null;
  private counting = false;
  private onThread = 0;
  private background = 0;
  private readonly sizes = new WeakMap<WasmModule, number>();

  constructor(
    private readonly host: WasmHost,
    private readonly clock: Clock,
  ) {}

  /** The engine has made the modules that it starts with; what comes now is compiled guest code. */
  begin(): void {
    this.counting = true;
  }

  /** Host time in ns that modules have taken on the machine's thread since then. */
  get time(): number {
    return this.onThread;
  }

  /** Host time in ns from asking for modules in the background until they were there, summed over modules. */
  get backgroundTime(): number {
    return this.background;
  }

  compile(bytes: Uint8Array): WasmModule {
    const start = this.clock.now();
    const module = this.host.compile(bytes);
    this.sizes.set(module, bytes.length);
    this.count("compile", bytes.length, start);
    return module;
  }

  async compileInBackground(bytes: Uint8Array): Promise<WasmModule> {
    const start = this.clock.now();
    const module = await this.host.compileInBackground(bytes);
    this.sizes.set(module, bytes.length);
    this.count("background", bytes.length, start);
    return module;
  }

  instantiate(module: WasmModule, imports: WasmImports): WasmExports {
    const start = this.clock.now();
    const exports = this.host.instantiate(module, imports);
    this.count("instantiate", this.sizes.get(module) ?? 0, start);
    return exports;
  }

  createMemory(initial: number, maximum: number, shared: boolean): WasmMemory {
    return this.host.createMemory(initial, maximum, shared);
  }

  createTable(length: number): WasmTable {
    return this.host.createTable(length);
  }

  private count(step: ModuleStep["step"], bytes: number, start: number): void {
    if (!this.counting) return;
    const end = this.clock.now();
    if (step === "background") this.background += end - start;
    else this.onThread += end - start;
    this.onStep?.({ step, bytes, start, end });
  }
}
