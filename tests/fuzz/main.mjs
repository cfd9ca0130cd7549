// SPDX-License-Identifier: Apache-2.0
// node tests/fuzz/main.mjs fuzz [--mode real|protected|long|user] [--seed N] [--count N] [--verbose]: random programs on
// a bare vCPU. Prints the seed of a program that makes the host throw; with --verbose the last `at` line names one that
// never returns.
// node tests/fuzz/main.mjs endless: guests that never get anywhere.
// node tests/fuzz/main.mjs devices [--preset pc|microvm] [--seed N] [--accesses N] [--only NAME]: random accesses to each
// device of a machine, over structures in RAM that hold random pointers. The last `at` line names the device under test.
import { pathToFileURL } from "node:url";
import { bundle } from "../bundle.mjs";

const verbs = { fuzz: "fuzz/fuzz.ts", endless: "fuzz/endless.ts", devices: "fuzz/devices/fuzz-devices.ts" };
const verb = process.argv[2] ?? "fuzz";
if (!Object.hasOwn(verbs, verb)) {
  process.stderr.write("usage: node tests/fuzz/main.mjs [fuzz|endless|devices] [options]\n");
  process.exit(2);
}
const module = await import(pathToFileURL(await bundle(verbs[verb])).href);
process.exitCode = await module[verb](process.argv.slice(3));
