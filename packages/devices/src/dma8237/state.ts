// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import { DMA_PAGE_PORTS } from "./registers.js";

export interface DmaChannelState {
  baseAddress: number;
  baseCount: number;
  address: number;
  count: number;
  mode: number;
  masked: boolean;
}

export interface DmaChipState {
  channels: DmaChannelState[];
  command: number;
  /** Bits 0-3: a channel has reached its terminal count. */
  status: number;
  /** The next access to an address or count is to its upper byte. */
  upper: boolean;
}

export interface DmaState extends DeviceState {
  readonly device: "dma8237";
  readonly version: 1;
  chips: DmaChipState[];
  pages: number[];
}

export function dmaChipResetState(): DmaChipState {
  const channel = { baseAddress: 0, baseCount: 0, address: 0, count: 0, mode: 0, masked: true };
  return { channels: [0, 1, 2, 3].map(() => ({ ...channel })), command: 0, status: 0, upper: false };
}

export function dmaResetState(): DmaState {
  return {
    device: "dma8237",
    version: 1,
    chips: [dmaChipResetState(), dmaChipResetState()],
    pages: Array.from({ length: DMA_PAGE_PORTS }, () => 0),
  };
}
