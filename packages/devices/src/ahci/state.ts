// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import type { DriveState } from "../ide/state.js";
import type { PciFunctionState } from "../pci/function.js";
import { NO_DEVICE } from "./registers.js";

/** What the log of queued commands says of the last one that failed (ATA8-ACS, A.12). */
export interface QueueError {
  tag: number;
  status: number;
  error: number;
  sector: number;
}

export interface PortState {
  commandList: [number, number];
  fisBase: [number, number];
  interruptStatus: number;
  interruptEnable: number;
  command: number;
  /** Status, and error in the upper byte. */
  taskFile: number;
  signature: number;
  sataStatus: number;
  sataControl: number;
  sataError: number;
  sataActive: number;
  commandIssue: number;
  /** Slot that was started last. */
  slot: number;
  /** A command has failed; nothing more is started until software stops the list. */
  halted: boolean;
  /** Software holds the drive in reset by a device control FIS. */
  softReset: boolean;
  /** The first FIS after a reset waits for software to allow receiving. */
  greeting: boolean;
  drive: DriveState | null;
  queueError: QueueError | null;
}

export interface AhciState extends DeviceState {
  readonly device: "ahci";
  readonly version: 1;
  pci: PciFunctionState;
  control: number;
  interruptStatus: number;
  ports: PortState[];
}
/** Registers of a port after a reset of the controller, as if nothing were plugged in. */
export function portReset(): PortState {
  return {
    commandList: [0, 0],
    fisBase: [0, 0],
    interruptStatus: 0,
    interruptEnable: 0,
    command: 0,
    taskFile: NO_DEVICE,
    signature: 0xffff_ffff,
    sataStatus: 0,
    sataControl: 0,
    sataError: 0,
    sataActive: 0,
    commandIssue: 0,
    slot: 0,
    halted: false,
    softReset: false,
    greeting: false,
    drive: null,
    queueError: null,
  };
}
