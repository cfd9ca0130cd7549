// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";

export interface WireOrState extends DeviceState {
  readonly device: "wire-or";
  readonly version: 1;
  /** Indices of the sources that assert the line, in ascending order. */
  asserted: number[];
}

/** Nobody asserts the line. */
export function wireOrResetState(): WireOrState {
  return { device: "wire-or", version: 1, asserted: [] };
}
