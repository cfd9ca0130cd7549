// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";

export interface PcSpeakerState extends DeviceState {
  readonly device: "pc-speaker";
  readonly version: 1;
  /** When the guest last wrote a register that the loudspeaker hangs on, in ns, or -1. */
  changedAt: number;
}

export function pcSpeakerState(): PcSpeakerState {
  return { device: "pc-speaker", version: 1, changedAt: -1 };
}
