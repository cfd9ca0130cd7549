// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import type { PciFunctionState } from "../pci/function.js";
import { ENGINES, EngineStatus, GlobalControl, MIXER_REGISTERS } from "./registers.js";

export interface EngineState {
  listBase: number;
  /** Entries of the list: being played, last one that the driver filled, next. */
  current: number;
  lastValid: number;
  prefetched: number;
  status: number;
  control: number;
  /** The buffer under way: next address, samples left, whether its end interrupts. */
  address: number;
  left: number;
  interrupts: boolean;
  /** Part of the present frame that has passed, in frames of the output times the rate of the engine. */
  phase: number;
  /** The frame that is heard, and the one before it: left, right. */
  frame: [number, number];
  before: [number, number];
}

export interface Ac97State extends DeviceState {
  readonly device: "ac97";
  readonly version: 1;
  pci: PciFunctionState;
  engines: EngineState[];
  control: number;
  /** Bits of the global status that keep a value of their own. */
  status: number;
  codecAccess: boolean;
  /** Codec registers by offset. */
  mixer: { [offset: string]: number };
}

export function engineState(): EngineState {
  return {
    listBase: 0,
    current: 0,
    lastValid: 0,
    prefetched: 0,
    status: EngineStatus.Halted,
    control: 0,
    address: 0,
    left: 0,
    interrupts: false,
    phase: 0,
    frame: [0, 0],
    before: [0, 0],
  };
}

export function mixerState(): { [offset: string]: number } {
  return Object.fromEntries([...MIXER_REGISTERS].map(([offset, [initial]]) => [offset, initial]));
}

export function ac97State(pci: PciFunctionState): Ac97State {
  return {
    device: "ac97",
    version: 1,
    pci,
    engines: Array.from({ length: ENGINES }, engineState),
    control: GlobalControl.ColdResetOff,
    status: 0,
    codecAccess: false,
    mixer: mixerState(),
  };
}
