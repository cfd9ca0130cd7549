// SPDX-License-Identifier: Apache-2.0
// Bundles the benchmark, which imports the workspace's packages, and becomes it.
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as esbuild from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const NODE = {
  format: "esm",
  platform: "node",
  target: "node24",
  external: ["playwright-core"],
  // A bundled CommonJS dependency still calls `require` for Node's own modules.
  banner: { js: 'import{createRequire as R}from"node:module";const require=R(import.meta.url);' },
};
const bundle = (entry, { outfile, ...options }) =>
  esbuild.build({
    ...options,
    entryPoints: [join(root, "bench", entry)],
    bundle: true,
    outfile: join(root, "build", outfile),
    logLevel: "warning",
  });
await bundle("main.ts", { ...NODE, outfile: "bench.mjs" });
await bundle("contenders/browser-machine.ts", { ...NODE, outfile: "bench/browser-machine.mjs" });
await bundle("contenders/browser-page.ts", { platform: "browser", format: "iife", outfile: "bench/browser-page.js" });
await esbuild.stop();
await import(pathToFileURL(join(root, "build", "bench.mjs")).href);
