// SPDX-License-Identifier: Apache-2.0
// Bundles a TypeScript program of the tests for Node. Bundling inlines constants, which the speed depends on.
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));

/** Bundles `entry`, relative to this folder, and returns the path of the result. */
export async function bundle(entry) {
  const out = join(here, "../build/tests");
  mkdirSync(out, { recursive: true });
  const outfile = join(out, `${entry.replaceAll("/", "-").replace(/\.ts$/, "")}.mjs`);
  await esbuild.build({
    entryPoints: [join(here, entry)],
    bundle: true,
    platform: "node",
    format: "esm",
    outfile,
    sourcemap: "inline",
    logLevel: "warning",
  });
  return outfile;
}
