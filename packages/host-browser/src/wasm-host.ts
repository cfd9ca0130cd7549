// SPDX-License-Identifier: Apache-2.0
import type { WasmExports, WasmHost, WasmMemory, WasmModule, WasmTable } from "@isola/ports";

/** The global `WebAssembly` in the types of the port. */
interface NativeWebAssembly {
  readonly compile: (bytes: Uint8Array) => Promise<WasmModule>;
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (module: WasmModule, imports: object) => { readonly exports: WasmExports };
  readonly Memory: new (descriptor: { initial: number; maximum: number; shared: boolean }) => WasmMemory;
  readonly Table: new (descriptor: { initial: number; element: "anyfunc" }) => WasmTable;
}

const native = WebAssembly as unknown as NativeWebAssembly;

/** The browser's own WebAssembly. Only workers may compile modules of any size at once, so a machine runs in one. */
export const hostWasm: WasmHost = {
  compile: (bytes) => new native.Module(bytes),
  compileInBackground: (bytes) => native.compile(bytes),
  instantiate: (module, imports) => new native.Instance(module, imports).exports,
  createMemory: (initial, maximum, shared) => new native.Memory({ initial, maximum, shared }),
  createTable: (length) => new native.Table({ initial: length, element: "anyfunc" }),
};
