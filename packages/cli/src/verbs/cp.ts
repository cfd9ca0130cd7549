// SPDX-License-Identifier: Apache-2.0
import { onProcessEnd } from "@isola/host-node";
import { copyFromGuest } from "../copy/from-guest.js";
import { parseLocation } from "../copy/location.js";
import { copyToGuest } from "../copy/to-guest.js";
import { machineForExec, patienceOf, WAIT_OPTION } from "../exec-machine.js";
import { UsageError } from "../usage-error.js";
import type { Verb } from "../verb.js";

export const cp: Verb = {
  name: "cp",
  synopsis: "VM:/PATH LOCAL | LOCAL VM:/PATH",
  summary: "copy a file or directory out of or into a machine whose image was built by Isola",
  options: WAIT_OPTION,
  async run(line) {
    const [source = "", destination = "", ...more] = line.positionals;
    if (destination === "" || more.length > 0) throw new UsageError("cp takes a source and a destination");
    const [from, to] = [parseLocation(source), parseLocation(destination)];
    const patience = patienceOf(line);
    // Whatever is half done goes when the process does.
    const unlisten = onProcessEnd((status) => process.exit(status));
    try {
      if (from.kind === "guest" && to.kind === "local") {
        const { client } = await machineForExec(from.machine);
        await copyFromGuest(client, from.path, to.path, patience);
      } else if (from.kind === "local" && to.kind === "guest") {
        const { client } = await machineForExec(to.machine);
        await copyToGuest(client, from.path, to, patience);
      } else {
        throw new UsageError("cp: one of the two places must be in a machine, like web:/etc/hosts, and the other here");
      }
      return 0;
    } finally {
      unlisten();
    }
  },
};
