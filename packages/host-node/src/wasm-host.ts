// SPDX-License-Identifier: Apache-2.0
import type { WasmExports, WasmHost, WasmMemory, WasmModule, WasmTable } from "@isola/ports";

// @types/node declares no WebAssembly without the DOM library; this is the part that is used here.
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module, imports: object);
    readonly exports: object;
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared: boolean });
    readonly buffer: ArrayBuffer;
  }
  class Table {
    constructor(descriptor: { initial: number; element: "anyfunc" });
    readonly length: number;
  }
}

/** The JavaScript engine's own WebAssembly. */
export const hostWasm: WasmHost = {
  compile: (bytes) => new WebAssembly.Module(bytes) as unknown as WasmModule,
  instantiate: (module, imports) =>
    new WebAssembly.Instance(module as unknown as WebAssembly.Module, imports).exports as WasmExports,
  createMemory: (initial, maximum, shared) =>
    new WebAssembly.Memory({ initial, maximum, shared }) as unknown as WasmMemory,
  createTable: (length) => new WebAssembly.Table({ initial: length, element: "anyfunc" }) as unknown as WasmTable,
};
