// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";

/** The device remembers nothing. */
export interface DebugConsoleState extends DeviceState {
  readonly device: "debug-console";
  readonly version: 1;
}

export function debugConsoleResetState(): DebugConsoleState {
  return { device: "debug-console", version: 1 };
}
