// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import {
  clientOf,
  type ControlClient,
  MachineGone,
  type MachineSummary,
  machineNames,
  runtimeDirectory,
} from "@isola/control";
import type { CommandLine } from "./command-line.js";
import { didYouMean } from "./suggestion.js";
import { UsageError } from "./usage-error.js";

export interface RunningMachine {
  readonly client: ControlClient;
  /** What it said of itself just now. */
  readonly summary: MachineSummary;
}

/** The running machine of that name. Throws OperatorError `no-such-machine`, with a name that is close. */
export async function runningMachine(name: string): Promise<RunningMachine> {
  const directory = runtimeDirectory();
  const names = machineNames(directory);
  try {
    if (names.includes(name)) {
      const client = clientOf(directory, name);
      return { client, summary: await client.summary() };
    }
  } catch (error) {
    if (!(error instanceof MachineGone)) throw error;
  }
  const others = names.filter((one) => one !== name);
  throw new OperatorError(
    "no-such-machine",
    `no machine named "${name}" is running${didYouMean(name, others) || '; "isola ls" shows those that are'}`,
  );
}

/** The machine that is the first word after the verb, and the words that follow. */
export async function machineOf(
  line: CommandLine,
  verb: string,
): Promise<RunningMachine & { rest: readonly string[] }> {
  const [name, ...rest] = line.positionals;
  if (name === undefined) throw new UsageError(`${verb} needs the name of a machine; "isola ls" shows those that run`);
  return { ...(await runningMachine(name)), rest };
}

/** As {@link machineOf}, for verbs that take nothing else. */
export async function onlyMachineOf(line: CommandLine, verb: string): Promise<RunningMachine> {
  const [, extra] = line.positionals;
  if (extra !== undefined) throw new UsageError(`${verb} takes one machine, and "${extra}" is left over`);
  return machineOf(line, verb);
}
