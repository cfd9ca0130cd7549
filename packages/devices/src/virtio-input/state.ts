// SPDX-License-Identifier: Apache-2.0

/** Type, code and value of an event. */
export type InputEvent = [type: number, code: number, value: number];

export interface VirtioInputState {
  readonly version: 1;
  select: number;
  subselect: number;
  /** Events that wait for buffers. */
  events: InputEvent[];
  /** Keys and buttons that are down, as the driver has been told. */
  down: number[];
  /** Lights that the driver has switched on, as bits. */
  lights: number;
}

export function virtioInputResetState(): VirtioInputState {
  return { version: 1, select: 0, subselect: 0, events: [], down: [], lights: 0 };
}
