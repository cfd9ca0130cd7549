// SPDX-License-Identifier: Apache-2.0
import { runningMachines, runtimeDirectory } from "@isola/control";
import { machineTable } from "../machine-table.js";
import { oneOf } from "../one-of.js";
import { UsageError } from "../usage-error.js";
import type { Verb } from "../verb.js";

export const ls: Verb = {
  name: "ls",
  synopsis: "[--format table|json]",
  summary: "show the machines that run",
  options: { format: { value: "FORMAT", help: "table (default) or json" } },
  async run(line) {
    if (line.positionals.length > 0) throw new UsageError("ls takes no arguments");
    const format = oneOf(line.get("format") ?? "table", "format", ["table", "json"] as const);
    const { machines, silent } = await runningMachines(runtimeDirectory());
    const shown =
      format === "json" ? `${JSON.stringify(machines, undefined, 2)}\n` : machineTable(machines, Date.now());
    process.stdout.write(shown);
    for (const name of silent) process.stderr.write(`isola: the process of machine ${name} does not answer\n`);
    return 0;
  },
};
