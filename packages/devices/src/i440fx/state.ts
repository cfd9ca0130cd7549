// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import type { PciHostState } from "../pci/state.js";

/** All of its state is in configuration space. */
export interface I440fxState extends DeviceState {
  readonly device: "i440fx";
  readonly version: 1;
  host: PciHostState;
}
