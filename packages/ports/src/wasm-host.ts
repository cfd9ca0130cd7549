// SPDX-License-Identifier: Apache-2.0
/**
 * The small part of the `WebAssembly` JavaScript API that the engine uses. Kernel packages compile without the DOM and
 * without Node, so the global object is not visible to them; a host passes it in through this port.
 */
declare const moduleBrand: unique symbol;
declare const memoryBrand: unique symbol;
declare const tableBrand: unique symbol;

/** A compiled module. */
export interface WasmModule {
  readonly [moduleBrand]: true;
}

/** A linear memory; `buffer` covers its whole current size. */
export interface WasmMemory {
  readonly [memoryBrand]: true;
  readonly buffer: ArrayBufferLike;
}

/** A table of function references. */
export interface WasmTable {
  readonly [tableBrand]: true;
  readonly length: number;
  /** Forgets the function at `index`. */
  set(index: number, value: null): void;
}

export type WasmFunction = (...args: never[]) => unknown;
export type WasmImportValue = WasmFunction | WasmMemory | WasmTable | number;
export type WasmImports = Readonly<Record<string, Readonly<Record<string, WasmImportValue>>>>;
export type WasmExports = Readonly<Record<string, unknown>>;

export interface WasmHost {
  /** Compiles a binary module at once. Throws on invalid bytes, which is a bug of ours. */
  compile(bytes: Uint8Array): WasmModule;
  /** Compiles on another thread where the host can; the promise is kept while this one runs its event loop. */
  compileInBackground(bytes: Uint8Array): Promise<WasmModule>;
  /** Instantiates a module and returns its exports. */
  instantiate(module: WasmModule, imports: WasmImports): WasmExports;
  /** Makes a linear memory of `initial` pages of 64 KiB that may grow to `maximum`. */
  createMemory(initial: number, maximum: number, shared: boolean): WasmMemory;
  /** Makes a table of `length` function references. */
  createTable(length: number): WasmTable;
}
