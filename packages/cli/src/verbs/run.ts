// SPDX-License-Identifier: Apache-2.0
import { runOnTerminal } from "../console-session.js";
import { GDB_OPTIONS, gdbRequest } from "../gdb-option.js";
import { INSIGHT_OPTIONS, insightRequest } from "../insight-request.js";
import { MACHINE_OPTIONS, machineRequest } from "../machine-request.js";
import { locatePcFirmware } from "../pc-firmware.js";
import { isPc, pcView } from "../pc-request.js";
import { pullWithProgress } from "../pull.js";
import { UsageError } from "../usage-error.js";
import type { Verb } from "../verb.js";
import { VNC_OPTIONS, vncRequest } from "../vnc-option.js";

export const run: Verb = {
  name: "run",
  synopsis: "[IMAGE] [options]",
  summary: "make a machine and run it on this terminal; Ctrl-] leaves it",
  options: {
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
    // Options are checked before anything is downloaded; the image only fills in what they leave open.
    const draft = { kernel: "", initrd: "", append: "" };
    machineRequest(line, reference === undefined ? null : draft);
    const image = reference === undefined ? null : await pullWithProgress(reference, false);
    const firmware = isPc(line) ? await locatePcFirmware(line) : null;
    const onGuestReset = line.has("no-reboot") ? "stop" : "restart";
    const view = pcView(line);
    return runOnTerminal(machineRequest(line, image, firmware), { onGuestReset, insight, view, gdb, vnc });
  },
};
