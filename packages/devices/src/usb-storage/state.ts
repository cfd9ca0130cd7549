// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import type { ScsiSense } from "../scsi/disk.js";
import type { UsbFunctionState } from "../usb/function.js";
import { CommandStatus } from "./registers.js";

export type Phase = "command" | "data-in" | "data-out" | "status";

/** One command on its way; between commands, what the last one has left. */
export interface TransportState {
  phase: Phase;
  /** A wrapper made no sense: both pipes stay halted until the class reset (6.6.1). */
  wedged: boolean;
  tag: number;
  /** Bytes that the host wants to move. */
  expected: number;
  /** Bytes that the device has, or takes. */
  available: number;
  /** Bytes that were moved. */
  position: number;
  status: number;
  /** Answer that is sent; null where data are the medium's. */
  answer: number[] | null;
  /** First byte on the medium. */
  offset: number;
  writing: boolean;
  /** Bytes that came and do not fill a block yet. */
  tail: number[];
}

export interface UsbStorageState extends DeviceState {
  readonly device: "usb-storage";
  readonly version: 1;
  function: UsbFunctionState;
  sense: ScsiSense;
  transport: TransportState;
}

export function transportResetState(): TransportState {
  return {
    phase: "command",
    wedged: false,
    tag: 0,
    expected: 0,
    available: 0,
    position: 0,
    status: CommandStatus.Passed,
    answer: null,
    offset: 0,
    writing: false,
    tail: [],
  };
}
