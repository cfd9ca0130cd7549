// SPDX-License-Identifier: Apache-2.0

/** Streams have an end outside the machine and are not saved. */
export interface VirtioVsockState {
  readonly version: 1;
  /** The guest is still to be told that the streams it knows are lost. */
  lost: boolean;
}

export function virtioVsockResetState(): VirtioVsockState {
  return { version: 1, lost: false };
}
