// SPDX-License-Identifier: Apache-2.0
import { ControlClient, MachineGone } from "./control-client.js";
import type { MachineSummary } from "./messages.js";
import { machineNames, removeDead, socketOf } from "./runtime-directory.js";

/** The machine of that name, whether it runs or not. */
export function clientOf(directory: string, name: string): ControlClient {
  return new ControlClient(name, socketOf(directory, name));
}

export interface RunningMachines {
  readonly machines: readonly MachineSummary[];
  /** Names of those whose processes exist and do not answer as they should. */
  readonly silent: readonly string[];
}

/** What the running machines of this user say of themselves, by name. Sockets of dead processes are removed. */
export async function runningMachines(directory: string): Promise<RunningMachines> {
  const machines: MachineSummary[] = [];
  const silent: string[] = [];
  await Promise.all(
    machineNames(directory).map(async (name) => {
      try {
        machines.push(await clientOf(directory, name).summary());
      } catch (error) {
        if (error instanceof MachineGone) removeDead(directory, name);
        else silent.push(name);
      }
    }),
  );
  const byName = (a: string, b: string) => (a < b ? -1 : 1);
  return { machines: machines.toSorted((a, b) => byName(a.name, b.name)), silent: silent.toSorted(byName) };
}
