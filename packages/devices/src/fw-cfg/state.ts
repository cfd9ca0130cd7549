// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";

export interface FwCfgState extends DeviceState {
  readonly device: "fw-cfg";
  readonly version: 1;
  selected: number;
  /** Offset of the next byte of the selected item. */
  offset: number;
  /** Upper half of the DMA address, as written. */
  dmaHigh: number;
  /** Contents of the items that the guest may write. */
  writable: { key: number; bytes: number[] }[];
}

export function fwCfgResetState(): FwCfgState {
  return { device: "fw-cfg", version: 1, selected: 0, offset: 0, dmaHigh: 0, writable: [] };
}
