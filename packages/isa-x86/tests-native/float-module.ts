// SPDX-License-Identifier: Apache-2.0
// Compiles the floating-point helpers, with the entry point that exports their parts, and instantiates them.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cpu } from "../src/cpu-layout.js";
import { helperConstants } from "../src/helper-constants.js";

export type Integer = number | bigint;
/** Exports of the module: u32 and bool are numbers, u64 and i64 are bigints. */
export type FloatExports = { readonly [name: string]: (...operands: Integer[]) => Integer };

export interface FloatModule {
  readonly call: FloatExports;
  readonly memory: Uint8Array;
  readonly view: DataView;
}

/** Where tests keep their CPU record, above the module's static data. */
export const CPU = 0x10000;
export const SCRATCH: number = CPU + cpu.at("scratch");

const assembly = join(dirname(fileURLToPath(import.meta.url)), "..", "assembly");

export function compileFloatModule(): FloatModule {
  const layout = join(assembly, "generated", "layout.ts");
  if (!existsSync(layout) || readFileSync(layout, "utf8") !== helperConstants()) {
    mkdirSync(dirname(layout), { recursive: true });
    writeFileSync(layout, helperConstants());
  }
  const folder = mkdtempSync(join(tmpdir(), "isola-float-"));
  try {
    const out = join(folder, "float.wasm");
    const compiler = createRequire(import.meta.url).resolve("assemblyscript/bin/asc.js");
    const result = spawnSync(
      process.execPath,
      [
        compiler,
        join(assembly, "float", "probe.ts"),
        "--outFile",
        out,
        "--runtime",
        "stub",
        "--importMemory",
        "--noExportMemory",
        "--memoryBase",
        "4096",
        "--use",
        "abort=",
        "-O2",
        "--enable",
        "simd,bulk-memory,mutable-globals,sign-extension,nontrapping-f2i",
      ],
      { encoding: "utf8" },
    );
    if (result.status !== 0) throw new Error(`the floating-point helpers do not compile:\n${result.stderr}`);
    const memory = new WebAssembly.Memory({ initial: 16 });
    const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(out)), { env: { memory } });
    return {
      call: instance.exports as unknown as FloatExports,
      memory: new Uint8Array(memory.buffer),
      view: new DataView(memory.buffer),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
