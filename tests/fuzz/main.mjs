// SPDX-License-Identifier: Apache-2.0
// node tests/fuzz/main.mjs [--mode real|protected|long|user] [--seed N] [--count N]: random programs on a
// bare vCPU. Prints the seed of a program that makes the host throw; a program that never returns is the last `at` line
// of --verbose.
import { pathToFileURL } from "node:url";
import { bundle } from "../bundle.mjs";

const { fuzz } = await import(pathToFileURL(await bundle("fuzz/fuzz.ts")).href);
process.exitCode = fuzz(process.argv.slice(2));
