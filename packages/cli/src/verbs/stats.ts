// SPDX-License-Identifier: Apache-2.0
import type { MachineStatistics } from "@isola/machine";
import { oneOf } from "../one-of.js";
import { onlyMachineOf } from "../running-machine.js";
import { statisticsText } from "../statistics-text.js";
import type { Verb } from "../verb.js";

export const stats: Verb = {
  name: "stats",
  synopsis: "VM [--format text|json]",
  summary: "show what a machine has counted so far",
  options: { format: { value: "FORMAT", help: "text (default) or json" } },
  async run(line) {
    const format = oneOf(line.get("format") ?? "text", "format", ["text", "json"] as const);
    const { client } = await onlyMachineOf(line, "stats");
    const statistics = await client.statistics();
    // Both ends are the same program, so the answer has the form that this one knows.
    process.stdout.write(
      format === "json" ? `${JSON.stringify(statistics)}\n` : statisticsText(statistics as MachineStatistics, null),
    );
    return 0;
  },
};
