// SPDX-License-Identifier: Apache-2.0
import { basename } from "node:path";
import { randomMachineName } from "@isola/control";
import { runSession, type SessionOptions } from "../console-session.js";
import { NAME_OPTIONS, nameRequest, takeName } from "../control-session.js";
import { detachedLog, logOf, startDetached } from "../detach.js";
import type { CommandLine } from "../command-line.js";
import { GDB_OPTIONS, gdbRequest } from "../gdb-option.js";
import { INSIGHT_OPTIONS, insightRequest } from "../insight-request.js";
import { MACHINE_OPTIONS, type MachineRequest, machineRequest } from "../machine-request.js";
import { locatePcFirmware } from "../pc-firmware.js";
import { isPc, pcView } from "../pc-request.js";
import { pullWithProgress } from "../pull.js";
import { UsageError } from "../usage-error.js";
import type { Verb } from "../verb.js";
import { VNC_OPTIONS, vncRequest } from "../vnc-option.js";

/** What a machine without an image boots, in a word. */
function sourceOf({ config: { boot }, files, disks }: MachineRequest): string {
  return basename((boot.kind === "firmware" ? disks[0]?.path : files[0]) ?? "");
}

/** Starts a copy of this process that runs the machine, with what is on its command line. */
async function runInBackground(line: CommandLine, wanted: string | null): Promise<number> {
  if (isPc(line) && pcView(line).textDisplay)
    throw new UsageError("--display text needs a terminal: leave out --detach");
  // Looked at here already, since the log of a machine that runs must not be overwritten.
  const claim = takeName(wanted);
  const name = claim?.name ?? randomMachineName();
  claim?.release();
  const named = line.has("name") ? [] : [`--name=${name}`];
  const status = await startDetached(["run", ...named, ...process.argv.slice(3)], logOf(name));
  if (status === 0) process.stdout.write(`${name}\n`);
  return status;
}

export const run: Verb = {
  name: "run",
  synopsis: "[IMAGE] [options]",
  summary: "make a machine and run it on this terminal (Ctrl-] leaves it), or in the background",
  options: {
    ...NAME_OPTIONS,
    ...MACHINE_OPTIONS,
    "no-reboot": { help: "end the machine when the guest resets it, instead of starting it again" },
    ...INSIGHT_OPTIONS,
    ...GDB_OPTIONS,
    ...VNC_OPTIONS,
  },
  async run(line) {
    const [reference, ...more] = line.positionals;
    if (more.length > 0) throw new UsageError(`run takes one image, and "${more[0]}" is left over`);
    const insight = insightRequest(line);
    const gdb = gdbRequest(line);
    const vnc = vncRequest(line);
    const name = nameRequest(line);
    const log = detachedLog();
    const detach = line.has("detach") && log === null;
    // Options are checked before anything is downloaded; the image only fills in what they leave open.
    const draft = { kernel: "", initrd: "", append: "" };
    machineRequest(line, reference === undefined ? null : draft);
    const image = reference === undefined ? null : await pullWithProgress(reference, false);
    if (detach) return runInBackground(line, name);
    const firmware = isPc(line) ? await locatePcFirmware(line) : null;
    const onGuestReset = line.has("no-reboot") ? "stop" : "restart";
    const view = pcView(line);
    const request = machineRequest(line, image, firmware);
    const source = reference ?? sourceOf(request);
    return runSession(request, { onGuestReset, insight, view, gdb, vnc, name, source, log } satisfies SessionOptions);
  },
};
