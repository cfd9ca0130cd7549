// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hostWasm } from "@isola/host-node";
import type { WasmModule } from "@isola/ports";
import { repositoryRoot } from "../oracle/native-harness.js";

function built(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(repositoryRoot(), "build", name)));
}

/** The two binary modules that every engine is made of. */
export const modules = { helpers: built("helpers.wasm"), interpreter: built("interpreter.wasm") };
const compiled = new Map<Uint8Array, WasmModule>();

/** The host's WebAssembly, except that the two modules of every engine are compiled only once. */
export function compileOnce(bytes: Uint8Array): WasmModule {
  if (bytes !== modules.helpers && bytes !== modules.interpreter) return hostWasm.compile(bytes);
  const known = compiled.get(bytes) ?? hostWasm.compile(bytes);
  compiled.set(bytes, known);
  return known;
}
