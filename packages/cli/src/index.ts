// SPDX-License-Identifier: Apache-2.0
import { main } from "./main.js";
import { console } from "./verbs/console.js";
import { cp } from "./verbs/cp.js";
import { cpuid } from "./verbs/cpuid.js";
import { disasm } from "./verbs/disasm.js";
import { disk } from "./verbs/disk.js";
import { exec, shell } from "./verbs/exec.js";
import { key, mouse, type } from "./verbs/input.js";
import { ls } from "./verbs/ls.js";
import { pause, reset, resume } from "./verbs/plain-action.js";
import { pull } from "./verbs/pull.js";
import { run } from "./verbs/run.js";
import { screenshot } from "./verbs/screenshot.js";
import { stats } from "./verbs/stats.js";
import { stop } from "./verbs/stop.js";

const MACHINES = [run, ls, exec, shell, cp, stop, pause, resume, reset, console, screenshot, type, key, mouse, stats];
const FILES = [pull, disk, disasm, cpuid];

const status = await main(process.argv.slice(2), [...MACHINES, ...FILES], {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
});
// Standard input or a timer of a library may keep the process alive; what is queued for output still has to leave.
process.exitCode = status;
process.stdout.write("", () => process.exit(status));
