// SPDX-License-Identifier: Apache-2.0
// node tests/browser/main.mjs [NAME...]: bundles the browser checks and runs all of them, or those whose names begin with
// a NAME. Ends with status 0, 1 (a check failed) or 77 (nothing failed, but a check could not run). See README.md.
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { build, root } from "../../tools/build.mjs";

await build({ withDemo: true });
const here = dirname(fileURLToPath(import.meta.url));
const out = join(root, "build");
const NODE = {
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node24",
  external: ["playwright-core"],
  banner: { js: 'import{createRequire as R}from"node:module";const require=R(import.meta.url);' },
  logLevel: "warning",
};
const bench = join(root, "bench/contenders");
const outfile = join(out, "tests/browser.mjs");
await esbuild.build({ ...NODE, entryPoints: [join(here, "run.ts")], outfile });
// The machine in a tab that the check of the speed compares with one in Node.
await esbuild.build({
  ...NODE,
  entryPoints: [join(bench, "browser-machine.ts")],
  outfile: join(out, "bench/browser-machine.mjs"),
});
await esbuild.build({
  bundle: true,
  platform: "browser",
  format: "iife",
  entryPoints: [join(bench, "browser-page.ts")],
  outfile: join(out, "bench/browser-page.js"),
  logLevel: "warning",
});
const { run } = await import(pathToFileURL(outfile).href);
process.exit(await run(root, process.argv.slice(2)));
