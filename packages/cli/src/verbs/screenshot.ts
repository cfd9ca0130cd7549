// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from "node:fs";
import { orFileError } from "@isola/host-node";
import { machineOf } from "../running-machine.js";
import { UsageError } from "../usage-error.js";
import type { Verb } from "../verb.js";

export const screenshot: Verb = {
  name: "screenshot",
  synopsis: "VM FILE.png | FILE.txt | -",
  summary: "save what the screen of a machine shows: as a picture, or as text; - writes text to standard output",
  options: {},
  async run(line) {
    const { client, rest } = await machineOf(line, "screenshot");
    const [path, ...more] = rest;
    if (path === undefined || more.length > 0) throw new UsageError("screenshot takes a machine and a file");
    if (path === "-") {
      process.stdout.write(await client.screenText());
      return 0;
    }
    const bytes = path.endsWith(".txt") ? await client.screenText() : await client.screenshot();
    orFileError("write", path, () => writeFileSync(path, bytes));
    return 0;
  },
};
