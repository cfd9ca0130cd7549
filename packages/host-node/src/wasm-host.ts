// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from "node:v8";
import type { WasmExports, WasmHost, WasmMemory, WasmModule, WasmTable } from "@isola/ports";

/** The part of the global `WebAssembly` that is used here; Node's type declarations have it only with the DOM. */
interface NativeWebAssembly {
  readonly compile: (bytes: Uint8Array) => Promise<WasmModule>;
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (module: WasmModule, imports: object) => { readonly exports: WasmExports };
  readonly Memory: new (descriptor: { initial: number; maximum: number; shared: boolean }) => WasmMemory;
  readonly Table: new (descriptor: { initial: number; element: "anyfunc" }) => WasmTable;
}

const native = (globalThis as unknown as { readonly WebAssembly: NativeWebAssembly }).WebAssembly;

// V8 compiles each function quickly when it is called first, and well after so many bytes of its code have run: 13
// million unless told otherwise. Handlers and regions are small and nearly all hot. A boot takes 4 % less with this
// figure; with a fifth of it the second compiler costs more than it saves.
setFlagsFromString("--wasm-tiering-budget=300000");
// What a machine allocates in JavaScript dies at once, but V8 would let the space for young objects grow from 2 to 60 MB.
// A long session takes no more processor time without that; only a factor works in a process that has begun.
setFlagsFromString("--semi-space-growth-factor=1");

/** The JavaScript engine's own WebAssembly. */
export const hostWasm: WasmHost = {
  compile: (bytes) => new native.Module(bytes),
  compileInBackground: (bytes) => {
    // By default V8 only validates, and compiles each function on the thread that calls it first. The interpreter, of
    // which most handlers are never called, has been compiled that way by now.
    setFlagsFromString("--no-wasm-lazy-compilation");
    return native.compile(bytes);
  },
  instantiate: (module, imports) => new native.Instance(module, imports).exports,
  createMemory: (initial, maximum, shared) => new native.Memory({ initial, maximum, shared }),
  createTable: (length) => new native.Table({ initial: length, element: "anyfunc" }),
};
