// SPDX-License-Identifier: Apache-2.0
import { main } from "./main.js";
import { cpuid } from "./verbs/cpuid.js";
import { disasm } from "./verbs/disasm.js";
import { disk } from "./verbs/disk.js";
import { pull } from "./verbs/pull.js";
import { run } from "./verbs/run.js";

const status = await main(process.argv.slice(2), [run, pull, disk, disasm, cpuid], {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
});
// Standard input or a timer of a library may keep the process alive; what is queued for output still has to leave.
process.exitCode = status;
process.stdout.write("", () => process.exit(status));
