// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import { Access } from "./registers.js";

export interface PitChannelState {
  mode: number;
  access: number;
  bcd: boolean;
  gate: boolean;
  /** Count register as the guest wrote it; 0 stands for the largest count. */
  count: number;
  /** Counts in one run of the counting element: 1-65536. */
  active: number;
  /** Count that replaces `active` at the end of this period (modes 2 and 3), or -1. */
  next: number;
  /** Whether the counting element has been loaded since the control word. */
  loaded: boolean;
  /** Input clocks at the time of loading, or those elapsed so far while `running` is false. */
  origin: number;
  running: boolean;
  /** Low byte that waits for its high byte, or -1. */
  writtenLow: number;
  /** Whether the next unlatched read gives the high byte. */
  readHigh: boolean;
  /** Latched count with the bytes of it still to be read, lowest first. */
  latched: number[];
  /** Latched status byte, or -1. */
  latchedStatus: number;
}

export interface PitState extends DeviceState {
  readonly device: "pit8254";
  readonly version: 1;
  channels: PitChannelState[];
  /** Writable bits of port 0x61. */
  port61: number;
  /** When the output of channel 0 is looked at next, in ns, or -1. */
  deadline: number;
}

export function pitChannelResetState(gate: boolean): PitChannelState {
  return {
    mode: 0,
    access: Access.Both,
    bcd: false,
    gate,
    count: 0,
    active: 0x1_0000,
    next: -1,
    loaded: false,
    origin: 0,
    running: false,
    writtenLow: -1,
    readHigh: false,
    latched: [],
    latchedStatus: -1,
  };
}

/** The 8254 powers up undefined; here no channel counts until it is programmed. */
export function pitResetState(): PitState {
  return {
    device: "pit8254",
    version: 1,
    channels: [pitChannelResetState(true), pitChannelResetState(true), pitChannelResetState(false)],
    port61: 0,
    deadline: -1,
  };
}
