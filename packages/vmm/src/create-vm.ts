// SPDX-License-Identifier: Apache-2.0
import { Machine, type MachineConfig, type MachinePorts } from "@isola/machine";
import type { EventLoop } from "@isola/ports";
import { Vm, type VmOptions } from "./vm.js";

/** What a machine gets from its host. */
export interface VmPorts extends MachinePorts {
  readonly loop: EventLoop;
}

/**
 * Builds a machine, which is then `created` and holds its disks until it stops. Throws OperatorError if the
 * configuration is impossible or names a file or store that `ports` does not have.
 */
export function createVm(config: MachineConfig, ports: VmPorts, options: VmOptions): Vm {
  return new Vm(new Machine(config, ports), ports.loop, options);
}
