// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";

export interface AudioOutputState extends DeviceState {
  readonly device: "audio-output";
  readonly version: 1;
  /** Next frame to be mixed, in frames since the machine was made. */
  position: number;
  /** Whether a source was at work. */
  running: boolean;
}

export function audioOutputState(): AudioOutputState {
  return { device: "audio-output", version: 1, position: 0, running: false };
}
