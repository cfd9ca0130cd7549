// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import type { PciFunctionState } from "../pci/function.js";
import type { MsixState } from "../pci/msix.js";
import { NO_VECTOR } from "./registers.js";

export interface VirtqueueState {
  size: number;
  enabled: boolean;
  /** The driver broke a rule of the ring; nothing more happens until reset. */
  failed: boolean;
  /** MSI-X vector of the queue. */
  vector: number;
  /** Addresses of the descriptor table, the driver area and the device area, low and high halves. */
  desc: [number, number];
  driver: [number, number];
  device: [number, number];
  /** Next entry of the available ring to take. */
  nextAvail: number;
  /** Next entry of the used ring to fill. */
  nextUsed: number;
  /** Value of `nextUsed` at the last interrupt decision. */
  signalledUsed: number;
  indirect: boolean;
  eventIdx: boolean;
}

export interface VirtioPciState<FunctionState> extends DeviceState {
  readonly device: "virtio-pci";
  readonly version: 1;
  /** Device type, so that a block device is not restored into a console. */
  type: number;
  pci: PciFunctionState;
  msix: MsixState;
  status: number;
  deviceFeatureSelect: number;
  driverFeatureSelect: number;
  driverFeatures: [number, number];
  configVector: number;
  configGeneration: number;
  queueSelect: number;
  isr: number;
  queues: VirtqueueState[];
  function: FunctionState;
}

/** A queue after reset: its largest size, nowhere in memory. */
export function virtqueueResetState(maxSize: number): VirtqueueState {
  return {
    size: maxSize,
    enabled: false,
    failed: false,
    vector: NO_VECTOR,
    desc: [0, 0],
    driver: [0, 0],
    device: [0, 0],
    nextAvail: 0,
    nextUsed: 0,
    signalledUsed: 0,
    indirect: false,
    eventIdx: false,
  };
}
