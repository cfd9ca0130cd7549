// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";

/** What every saved state begins with. Fields are plain JSON data, so that any container can carry them. */
export interface DeviceState {
  readonly device: string;
  readonly version: number;
}

/**
 * The life of a device. It has no timers and no I/O of its own: both come in through its constructor, and its register
 * ranges are put on a bus by the machine.
 */
export interface Device<State extends DeviceState> {
  /** Back to the state after power-on. Lines go low, timers stop. */
  reset(): void;
  /** A copy of the state. Changes nothing. */
  save(): State;
  /**
   * Takes over a saved state and arms timers again. Drives no interrupt line, because the other end of the line has
   * saved the level that it saw. Throws `OperatorError` if the record belongs to another device or version.
   */
  restore(state: State): void;
}

/** A device with work under way outside the machine, which must come to rest before a save. */
export interface Pausable {
  /** Starts no more work; resolves when none is under way. Pausing twice is pausing once. */
  pause(): Promise<void>;
  /** Takes up work again, including what the guest asked for meanwhile. Also to be called after a restore. */
  resume(): void;
}

/** Refuses a state record of another device or version. */
export function checkState(state: DeviceState, device: string, version: number): void {
  if (state.device === device && state.version === version) return;
  throw new OperatorError(
    "bad-snapshot",
    `snapshot holds ${state.device} version ${state.version} where ${device} version ${version} is needed; ` +
      "restore it into a machine of the same configuration",
  );
}

/** Deep copy of a plain record: numbers, strings, booleans, arrays and records of these. */
export function copyState<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => copyState(item)) as T;
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) copy[key] = copyState(item);
  return copy as T;
}
