// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import type { PciFunctionState } from "../pci/function.js";
import type { MsixState } from "../pci/msix.js";

export interface SubmissionState {
  id: number;
  base: number;
  size: number;
  head: number;
  tail: number;
  /** Completion queue. */
  completion: number;
}

export interface CompletionState {
  id: number;
  base: number;
  size: number;
  head: number;
  tail: number;
  /** Phase bit of the entries that are written now. */
  phase: boolean;
  vector: number;
  interrupts: boolean;
}

export interface NvmeState extends DeviceState {
  readonly device: "nvme";
  readonly version: 1;
  pci: PciFunctionState;
  msix: MsixState;
  mask: number;
  configuration: number;
  status: number;
  adminAttributes: number;
  /** Addresses as low and high halves. */
  adminSubmission: [number, number];
  adminCompletion: [number, number];
  submissions: SubmissionState[];
  completions: CompletionState[];
  /** Feature values by number. */
  features: Record<string, number>;
  /** Command identifiers of the asynchronous event requests that wait. */
  eventRequests: number[];
}
