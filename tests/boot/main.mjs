// SPDX-License-Identifier: Apache-2.0
// node tests/boot/main.mjs [NAME...]: bundles the boot checks and runs all of them, or those whose names begin with a
// NAME. Ends with status 0, 1 (a check failed) or 77 (nothing failed, but a check could not run). See README.md.
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { build, root } from "../../tools/build.mjs";

await build();
const outfile = join(root, "build/tests/boot.mjs");
await esbuild.build({
  entryPoints: [join(dirname(fileURLToPath(import.meta.url)), "run.ts")],
  bundle: true,
  platform: "node",
  format: "esm",
  outfile,
  sourcemap: "inline",
  // The library that unpacks packages asks for parts of Node the old way.
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
  logLevel: "warning",
});
const { run } = await import(pathToFileURL(outfile).href);
process.exit(await run(root, process.argv.slice(2)));
