// SPDX-License-Identifier: Apache-2.0
// node tests/lockstep/main.mjs [--seconds N] [--seed N] [--count N] [--verbose]: random guest programs, interpreted and
// compiled, whose states must agree after every slice. Prints the smallest program that shows a difference.
import { pathToFileURL } from "node:url";
import { bundle } from "../bundle.mjs";

const module = await import(pathToFileURL(await bundle("lockstep/lockstep.ts")).href);
process.exitCode = module.lockstep(process.argv.slice(2));
