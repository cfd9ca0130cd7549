// SPDX-License-Identifier: Apache-2.0
// node tests/oracle/launch.mjs run|record ... : bundles the TypeScript runner and starts it. The bundle inlines
// constants, which the speed depends on.
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "../../build/tests");
const commands = { run: ["run.ts", "run"], record: ["record.ts", "record"] };
const [file, name] = commands[process.argv[2]] ?? [];
if (file === undefined) {
  process.stderr.write("usage: node tests/oracle/launch.mjs run|record [options]\n");
  process.exit(2);
}
mkdirSync(out, { recursive: true });
const outfile = join(out, `oracle-${name}.mjs`);
await esbuild.build({
  entryPoints: [join(here, file)],
  bundle: true,
  platform: "node",
  format: "esm",
  outfile,
  sourcemap: "inline",
  logLevel: "warning",
});
const module = await import(pathToFileURL(outfile).href);
process.exitCode = module[name](process.argv.slice(3));
