// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import type { PciFunctionState } from "../pci/function.js";

export interface Piix3State extends DeviceState {
  readonly device: "piix3";
  readonly version: 1;
  pci: PciFunctionState;
  /** Levels of PIRQA# to PIRQD#. */
  levels: boolean[];
}
