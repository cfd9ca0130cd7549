// SPDX-License-Identifier: Apache-2.0
export interface VirtioConsoleState {
  readonly version: 1;
  columns: number;
  rows: number;
}

/** A terminal of the usual size. */
export function virtioConsoleResetState(): VirtioConsoleState {
  return { version: 1, columns: 80, rows: 25 };
}
