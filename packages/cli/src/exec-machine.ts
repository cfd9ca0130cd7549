// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { CommandLine, OptionSpecs } from "./command-line.js";
import { type RunningMachine, runningMachine } from "./running-machine.js";
import { parseInteger } from "./size.js";

const DEFAULT_WAIT = "60";
const MAX_WAIT = 86_400;

export const WAIT_OPTION: OptionSpecs = {
  wait: { value: "SECONDS", help: `how long the guest may take to boot that far (default ${DEFAULT_WAIT})` },
};

/** Milliseconds that a guest is waited for. */
export function patienceOf(line: CommandLine): number {
  return parseInteger(line.get("wait") ?? DEFAULT_WAIT, "--wait", 0, MAX_WAIT) * 1000;
}

/** The machine of that name, in whose guest something is to run. Throws OperatorError if it stands still. */
export async function machineForExec(name: string): Promise<RunningMachine> {
  const machine = await runningMachine(name);
  if (machine.summary.state !== "paused") return machine;
  throw new OperatorError("machine-paused", `machine ${name} is paused: "isola resume ${name}" lets it go on`);
}
