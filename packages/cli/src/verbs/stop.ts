// SPDX-License-Identifier: Apache-2.0
import { type ControlClient, MachineGone } from "@isola/control";
import { onlyMachineOf } from "../running-machine.js";
import { parseInteger } from "../size.js";
import type { Verb } from "../verb.js";

const DEFAULT_SECONDS = 30;
const MAX_SECONDS = 86_400;
/** A machine that has been switched off still closes its disks. */
const LAST_WRITES_MS = 60_000;

/** Switches a machine off; that it is off already is what was wanted. */
async function switchOff(client: ControlClient): Promise<void> {
  try {
    await client.perform("stop");
  } catch (error) {
    if (!(error instanceof MachineGone)) throw error;
  }
}

export const stop: Verb = {
  name: "stop",
  synopsis: "VM [--timeout SECONDS | --force]",
  summary: "press the power button of a machine; switch it off if the guest does not shut down in time",
  options: {
    timeout: { value: "SECONDS", help: `how long the guest may take to shut down (default ${DEFAULT_SECONDS})` },
    force: { help: "switch it off at once, as by pulling the plug" },
  },
  async run(line) {
    const seconds = parseInteger(line.get("timeout") ?? String(DEFAULT_SECONDS), "--timeout", 0, MAX_SECONDS);
    const { client, summary } = await onlyMachineOf(line, "stop");
    // A guest that stands still cannot shut itself down.
    if (!line.has("force") && summary.state === "running") {
      await client.perform("press-power-button");
      if (await client.ended(seconds * 1000)) return 0;
      process.stderr.write(`isola: ${client.name} did not shut down within ${seconds} s and is switched off\n`);
    }
    await switchOff(client);
    await client.ended(LAST_WRITES_MS);
    return 0;
  },
};
