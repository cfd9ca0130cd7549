// SPDX-License-Identifier: Apache-2.0

/** What the guest knows of files has its other end outside the machine and is not saved. */
export interface VirtioFsState {
  readonly version: 1;
}

export function virtioFsState(): VirtioFsState {
  return { version: 1 };
}
