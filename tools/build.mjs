// SPDX-License-Identifier: Apache-2.0
// Builds everything that is not plain TypeScript: the constants that helpers share with the engine, the helper module
// (AssemblyScript), the interpreter module, and the bundle of the command line.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as esbuild from "esbuild";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, "build");

/** Bundles `entry` and imports the result. */
async function load(entry, name) {
  const outfile = join(out, "tools", `${name}.mjs`);
  await esbuild.build({ entryPoints: [join(root, entry)], bundle: true, format: "esm", platform: "node", outfile, logLevel: "warning" });
  return import(pathToFileURL(outfile).href);
}

function writeIfChanged(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  writeFileSync(path, text);
}

async function helpers() {
  const { helperConstants } = await load("packages/isa-x86/src/helper-constants.ts", "helper-constants");
  writeIfChanged(join(root, "packages/isa-x86/assembly/generated/layout.ts"), helperConstants());
  const result = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/assemblyscript/bin/asc.js"),
      "packages/isa-x86/assembly/index.ts",
      "--outFile", "build/helpers.wasm",
      "--textFile", "build/helpers.wat",
      "--runtime", "stub", "--importMemory", "--noExportMemory", "--memoryBase", "4096", "--initialMemory", "16",
      "--use", "abort=", "-O3", "--converge", "--enable", "simd,bulk-memory,mutable-globals,sign-extension,nontrapping-f2i,tail-calls",
    ],
    { cwd: root, stdio: ["ignore", "inherit", "inherit"] },
  );
  if (result.status !== 0) throw new Error("the helper module did not compile");
}

/** Runs the interpreter generator. */
async function interpreter() {
  const { generateInterpreter } = await load("packages/isa-x86/src/interpreter/generate.ts", "generate-interpreter");
  writeFileSync(join(out, "interpreter.wasm"), generateInterpreter());
}

await helpers();
await interpreter();
