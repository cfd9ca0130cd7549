// SPDX-License-Identifier: Apache-2.0
import type { AcpiPmState } from "../acpi-pm/state.js";
import type { DeviceState } from "../device.js";
import type { PciFunctionState } from "../pci/function.js";
import { SMBUS_PORTS } from "./registers.js";

export interface Piix4PmState extends DeviceState {
  readonly device: "piix4-pm";
  readonly version: 1;
  pci: PciFunctionState;
  power: AcpiPmState;
  /** APM control and status. */
  apm: number[];
  /** SMBus host registers. */
  smbus: number[];
}

export interface Piix4PmRegisters {
  apm: number[];
  smbus: number[];
}

export function piix4PmResetRegisters(): Piix4PmRegisters {
  return { apm: [0, 0], smbus: Array.from({ length: SMBUS_PORTS }, () => 0) };
}
