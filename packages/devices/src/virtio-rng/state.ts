// SPDX-License-Identifier: Apache-2.0

/** The device remembers nothing. */
export interface VirtioRngState {
  readonly version: 1;
}

export function virtioRngState(): VirtioRngState {
  return { version: 1 };
}
