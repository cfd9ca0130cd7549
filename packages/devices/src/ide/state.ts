// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import type { PciFunctionState } from "../pci/function.js";

/** What a drive does with its buffer. */
export type Phase = "idle" | "pio-in" | "pio-out" | "packet" | "dma-in" | "dma-out";

/** Where a transfer is. */
export interface TransferState {
  phase: Phase;
  /** Position on the medium of the next byte that is not in the buffer. */
  medium: number;
  /** Bytes between the medium and the host that have not been in the buffer yet. */
  remaining: number;
  /** Bytes of a block between two data requests. */
  block: number;
  /** The part of the buffer that holds data, and how far the host has got in it. */
  buffer: number[];
  position: number;
}

export interface DriveState {
  error: number;
  features: number;
  /** Registers that 48-bit commands use twice: as last written, and before. */
  count: [number, number];
  lbaLow: [number, number];
  lbaMid: [number, number];
  lbaHigh: [number, number];
  device: number;
  status: number;
  /** INTRQ. */
  interrupt: boolean;
  transfer: TransferState;
  /** Sectors a block of READ MULTIPLE, or 0. */
  multiple: number;
  /** Translation that INITIALIZE DEVICE PARAMETERS has set. */
  heads: number;
  sectorsPerTrack: number;
  /** Transfer mode as SET FEATURES encodes it. */
  transferMode: number;
  writeCache: boolean;
  /** Packet devices: sense key and additional code of the last command, and what happened to the medium since. */
  senseKey: number;
  senseCode: number;
  mediumChanged: boolean;
  locked: boolean;
  /** The tray is open: the disc lies in it and cannot be read. */
  ejected: boolean;
}

export interface BusMasterState {
  command: number;
  status: number;
  table: number;
  /** Address of the next descriptor; region of the current one. */
  next: number;
  address: number;
  left: number;
  last: boolean;
}

export interface ChannelState {
  control: number;
  /** Number of the selected drive. */
  selected: number;
  drives: (DriveState | null)[];
  busMaster: BusMasterState;
}

export interface IdeState extends DeviceState {
  readonly device: "ide";
  readonly version: 1;
  pci: PciFunctionState;
  channels: ChannelState[];
}

export function idleTransfer(): TransferState {
  return { phase: "idle", medium: 0, remaining: 0, block: 0, buffer: [], position: 0 };
}

export function busMasterResetState(): BusMasterState {
  return { command: 0, status: 0, table: 0, next: 0, address: 0, left: 0, last: false };
}
