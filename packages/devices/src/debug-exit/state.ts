// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";

/** The device remembers nothing. */
export interface DebugExitState extends DeviceState {
  readonly device: "debug-exit";
  readonly version: 1;
}

export function debugExitResetState(): DebugExitState {
  return { device: "debug-exit", version: 1 };
}
