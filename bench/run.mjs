// SPDX-License-Identifier: Apache-2.0
// Bundles the benchmark, which imports the workspace's packages, and becomes it.
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as esbuild from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const outfile = join(root, "build", "bench.mjs");
await esbuild.build({
  entryPoints: [join(root, "bench", "main.ts")],
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node24",
  outfile,
  // A bundled CommonJS dependency still calls `require` for Node's own modules.
  banner: { js: 'import{createRequire as R}from"node:module";const require=R(import.meta.url);' },
  logLevel: "warning",
});
await esbuild.stop();
await import(pathToFileURL(outfile).href);
