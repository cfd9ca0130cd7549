// SPDX-License-Identifier: Apache-2.0
import type { Clock, WasmExports, WasmHost, WasmImports, WasmMemory, WasmModule, WasmTable } from "@isola/ports";

/** A module that was compiled and instantiated. Times are ns on the host's clock. */
export interface MadeModule {
  readonly bytes: number;
  readonly start: number;
  readonly end: number;
}

/** The host's WebAssembly, with a clock beside it. Counts from {@link begin} on. */
export class ObservedWasm implements WasmHost {
  /** Hears of every module; null unless somebody watches. */
  onModule: ((module: MadeModule) => void) | null = null;
  private counting = false;
  private total = 0;
  private compiling = { bytes: 0, start: 0 };

  constructor(
    private readonly host: WasmHost,
    private readonly clock: Clock,
  ) {}

  /** The engine has made the modules that it starts with; what comes now is compiled guest code. */
  begin(): void {
    this.counting = true;
  }

  /** Host time in ns that modules have taken since then. */
  get time(): number {
    return this.total;
  }

  compile(bytes: Uint8Array): WasmModule {
    this.compiling = { bytes: bytes.length, start: this.clock.now() };
    return this.host.compile(bytes);
  }

  instantiate(module: WasmModule, imports: WasmImports): WasmExports {
    const exports = this.host.instantiate(module, imports);
    if (this.counting) {
      const made = { ...this.compiling, end: this.clock.now() };
      this.total += made.end - made.start;
      this.onModule?.(made);
    }
    return exports;
  }

  createMemory(initial: number, maximum: number, shared: boolean): WasmMemory {
    return this.host.createMemory(initial, maximum, shared);
  }

  createTable(length: number): WasmTable {
    return this.host.createTable(length);
  }
}
