// SPDX-License-Identifier: Apache-2.0

/** Nothing survives a request, and a save waits until none is under way; what is left belongs to the transport. */
export interface VirtioBlkState {
  readonly version: 1;
}

export function virtioBlkState(): VirtioBlkState {
  return { version: 1 };
}
