// SPDX-License-Identifier: Apache-2.0
// node tests/oracle/main.mjs [run|record] [options]: without a verb it does what `npm test` wants.
import { pathToFileURL } from "node:url";
import { bundle } from "../bundle.mjs";

const verbs = { run: "oracle/run.ts", record: "oracle/record.ts" };
const verb = process.argv[2] ?? "run";
if (!Object.hasOwn(verbs, verb)) {
  process.stderr.write("usage: node tests/oracle/main.mjs [run|record] [options]\n");
  process.exit(2);
}
const module = await import(pathToFileURL(await bundle(verbs[verb])).href);
process.exitCode = await module[verb](process.argv.slice(3));
