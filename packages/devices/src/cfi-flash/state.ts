// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";

/** What reads get. */
export const enum Mode {
  Array = 0,
  Status = 1,
  Identifiers = 2,
  Query = 3,
}

/** What the next write is, beside a command. */
export const enum Cycle {
  Command = 0,
  ProgramData = 1,
  EraseConfirm = 2,
  LockConfirm = 3,
  BufferCount = 4,
  BufferData = 5,
  BufferConfirm = 6,
}

export interface CfiFlashState extends DeviceState {
  readonly device: "cfi-flash";
  readonly version: 1;
  mode: Mode;
  cycle: Cycle;
  status: number;
  /** Bytes of a buffered write that are still to come. */
  awaited: number;
  /** Those that have come. */
  buffered: { offset: number; value: number }[];
}

/** The array is read after power-on. Its contents are no register: they are kept by the machine, like RAM. */
export function cfiFlashResetState(): CfiFlashState {
  return {
    device: "cfi-flash",
    version: 1,
    mode: Mode.Array,
    cycle: Cycle.Command,
    status: 0,
    awaited: 0,
    buffered: [],
  };
}
