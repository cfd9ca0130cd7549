// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import { DEFAULT_RATE, DEFAULT_RESOLUTION, Mode, MouseKind } from "./registers.js";

export interface KeyboardState {
  /** Bytes that wait to be sent. */
  queue: number[];
  /** Command whose parameter comes next, or -1. */
  awaiting: number;
  enabled: boolean;
  scanCodes: number;
  leds: number;
  last: number;
}

export interface MouseState {
  queue: number[];
  awaiting: number;
  kind: number;
  enabled: boolean;
  remote: boolean;
  wrap: boolean;
  scale2: boolean;
  rate: number;
  /** The last three rates that were set. */
  rates: number[];
  resolution: number;
  /** Movement that has not been sent. */
  dx: number;
  dy: number;
  wheel: number;
  buttons: number;
  sentButtons: number;
  last: number;
}

export interface I8042State extends DeviceState {
  readonly device: "i8042";
  readonly version: 2;
  mode: number;
  /** Byte in the output buffer, or -1, and whether it is the auxiliary device's. */
  output: number;
  outputAux: boolean;
  /** Command whose parameter the data port takes next, or -1. */
  awaiting: number;
  lastWasCommand: boolean;
  a20: boolean;
  /** System port A without its A20 bit. */
  portA: number;
  /** The translator has seen the prefix of a released key. */
  breakPrefix: boolean;
  keyboard: KeyboardState | null;
  mouse: MouseState | null;
}

export function keyboardResetState(): KeyboardState {
  return { queue: [], awaiting: -1, enabled: true, scanCodes: 2, leds: 0, last: 0 };
}

export function mouseResetState(): MouseState {
  return {
    queue: [],
    awaiting: -1,
    kind: MouseKind.Plain,
    enabled: false,
    remote: false,
    wrap: false,
    scale2: false,
    rate: DEFAULT_RATE,
    rates: [0, 0, 0],
    resolution: DEFAULT_RESOLUTION,
    dx: 0,
    dy: 0,
    wheel: 0,
    buttons: 0,
    sentButtons: 0,
    last: 0,
  };
}

/** The controller's own part after reset; address line 20 is open, as firmware leaves it. */
export function i8042ResetState(): Omit<I8042State, "keyboard" | "mouse"> {
  return {
    device: "i8042",
    version: 2,
    mode: Mode.Reset,
    output: -1,
    outputAux: false,
    awaiting: -1,
    lastWasCommand: false,
    a20: true,
    portA: 0,
    breakPrefix: false,
  };
}
