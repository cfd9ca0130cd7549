// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import type { PciFunctionState } from "./function.js";

export interface PciHostState extends DeviceState {
  readonly device: "pci-host";
  readonly version: 1;
  /** CONFIG_ADDRESS. */
  address: number;
  /** The host bridge itself; other functions save themselves. */
  bridge: PciFunctionState;
}
