// SPDX-License-Identifier: Apache-2.0
// Builds everything that is not plain TypeScript: the constants that helpers share with the engine, the helper module
// (AssemblyScript), the interpreter module, and the bundle of the command line. Every step is skipped while its inputs are unchanged.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { buildStep } from "./build-step.mjs";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, "build");
const TOOLING = ["tools/build.mjs", "package-lock.json"];

const isSource = (file) => !file.endsWith(".test.ts");

/** Bundles `entry` and imports the result. */
async function load(entry, name) {
  const outfile = join(out, "tools", `${name}.mjs`);
  await esbuild.build({
    entryPoints: [join(root, entry)],
    bundle: true,
    format: "esm",
    platform: "node",
    outfile,
    logLevel: "warning",
  });
  return import(pathToFileURL(outfile).href);
}

function writeIfChanged(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  writeFileSync(path, text);
}

/** The helper module, from AssemblyScript. */
async function helpers() {
  const { helperConstants } = await load("packages/isa-x86/src/helper-constants.ts", "helper-constants");
  writeIfChanged(join(root, "packages/isa-x86/assembly/generated/layout.ts"), helperConstants());
  const result = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/assemblyscript/bin/asc.js"),
      "packages/isa-x86/assembly/index.ts",
      ...["--outFile", "build/helpers.wasm", "--textFile", "build/helpers.wat"],
      ...["--runtime", "stub", "--importMemory", "--noExportMemory", "--memoryBase", "4096", "--initialMemory", "16"],
      ...["--use", "abort=", "-O3", "--converge"],
      ...["--enable", "simd,bulk-memory,mutable-globals,sign-extension,nontrapping-f2i,tail-calls"],
    ],
    { cwd: root, stdio: ["ignore", "inherit", "inherit"] },
  );
  if (result.status !== 0) throw new Error("the helper module did not compile");
}

/** The interpreter module, from the opcode table. */
async function interpreter() {
  const { generateInterpreter } = await load("packages/isa-x86/src/interpreter/generate.ts", "generate-interpreter");
  writeFileSync(join(out, "interpreter.wasm"), generateInterpreter());
}

const FOR_NODE = {
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node24",
  // A bundled CommonJS dependency still calls `require` for Node's own modules.
  banner: { js: 'import{createRequire as R}from"node:module";const require=R(import.meta.url);' },
  logLevel: "warning",
};

/** The command line as one file; constant enums are inlined on the way. */
async function bundle() {
  const entryPoints = [join(root, "packages/cli/src/index.ts")];
  await esbuild.build({ ...FOR_NODE, entryPoints, outfile: join(out, "isola.mjs") });
}

/** The page in which machines run in a browser, and the server that offers it. */
async function demo() {
  const source = join(root, "packages/demo/src");
  const page = { bundle: true, format: "iife", platform: "browser", target: "es2023", logLevel: "warning" };
  await esbuild.build({ ...page, entryPoints: [join(source, "page/main.ts")], outfile: join(out, "demo/page.js") });
  await esbuild.build({ ...page, entryPoints: [join(source, "page/style.css")], outfile: join(out, "demo/page.css") });
  const worker = join(source, "machine-worker.ts");
  await esbuild.build({ ...page, entryPoints: [worker], outfile: join(out, "demo/machine-worker.js") });
  for (const name of ["index.html", "favicon.svg"]) copyFileSync(join(source, "page", name), join(out, "demo", name));
  await esbuild.build({ ...FOR_NODE, entryPoints: [join(source, "server/main.ts")], outfile: join(out, "demo.mjs") });
}

/**
 * Builds what is out of date. Returns the names of the steps that ran.
 * @param withDemo also the page for browsers, which the command line does not need
 */
export async function build({ onStep = () => {}, withDemo = false } = {}) {
  const ran = [];
  const step = async (name, inputs, outputs, action) => {
    const options = { root, name, inputs: [...TOOLING, ...inputs], outputs, filter: isSource };
    const did = await buildStep(options, () => {
      onStep(name);
      return action();
    });
    if (did) ran.push(name);
  };
  await step(
    "helpers",
    ["packages/isa-x86/assembly", "packages/isa-x86/src", "packages/engine/src"],
    ["build/helpers.wasm", "packages/isa-x86/assembly/generated/layout.ts"],
    helpers,
  );
  await step(
    "interpreter",
    ["packages/base/src", "packages/engine/src", "packages/isa-x86/src", "packages/wasm/src"],
    ["build/interpreter.wasm"],
    interpreter,
  );
  await step("bundle", ["packages"], ["build/isola.mjs"], bundle);
  if (withDemo) await step("demo", ["packages"], ["build/demo.mjs", "build/demo/page.js"], demo);
  return ran;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build({ withDemo: true });
