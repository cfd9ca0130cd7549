// SPDX-License-Identifier: Apache-2.0
// Compares guests that are interpreted with the same guests compiled.
// node tests/lockstep/main.mjs [--seconds N] [--seed N] [--count N] [--policy early|at-once|background] [--verbose]: random
// programs, whose states must agree after every slice. Prints the smallest program that shows a difference.
// node tests/lockstep/main.mjs --kernel FILE [--initrd FILE] [--disk FILE] [--append TEXT] [--memory MIB] [--cpus N]
// [--translation auto|early|at-once] [--until TEXT] [--instructions N] [--quiet]: a whole boot, slice by slice.
import { pathToFileURL } from "node:url";
import { bundle } from "../bundle.mjs";

const args = process.argv.slice(2);
const verb = args.some((arg) => arg.startsWith("--kernel")) ? "boot" : "lockstep";
const module = await import(pathToFileURL(await bundle(`lockstep/${verb}.ts`)).href);
process.exitCode = await module[verb](args);
