// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import { type EepromState, eepromState } from "../e1000/eeprom.js";
import type { PciFunctionState } from "../pci/function.js";
import { DESCRIPTORS, Reg, REGISTER_BYTES, RESET_VALUES, TransmitStatus } from "./registers.js";

export interface Rtl8139State extends DeviceState {
  readonly device: "rtl8139";
  readonly version: 1;
  pci: PciFunctionState;
  /** Registers that keep what is written, as bytes. */
  bytes: number[];
  command: number;
  mask: number;
  cause: number;
  transmitConfig: number;
  plusCommand: number;
  eepromMode: number;
  eeprom: EepromState;
  /** C mode: status of the four descriptors, and the next to be sent. */
  transmitStatus: number[];
  nextTransmit: number;
  /** C mode: where the next frame goes in the ring. */
  writePointer: number;
  /** C+ mode: next descriptors of the normal and the high-priority ring, and of the receive ring. */
  normalIndex: number;
  highIndex: number;
  receiveIndex: number;
  /** Rings that still have to be looked at: bits of the poll register. */
  polled: number;
  /** C+ mode: bytes of a frame whose last descriptor has not come. */
  partial: number[];
  /** When the timer was last set to zero, and when it interrupts, in ns, or -1. */
  timerStart: number;
  timerDeadline: number;
  /** Whether the network has a frame for which there was no buffer, and when to look again, in ns, or -1. */
  waiting: boolean;
  retryAt: number;
}

export function rtl8139State(pci: PciFunctionState, mac: readonly number[], now: number): Rtl8139State {
  const bytes = new Array<number>(REGISTER_BYTES).fill(0);
  for (let i = 0; i < 6; i++) bytes[Reg.Address + i] = mac[i];
  for (const [register, size, value] of RESET_VALUES)
    for (let i = 0; i < size; i++) bytes[register + i] = (value >> (8 * i)) & 0xff;
  return {
    device: "rtl8139",
    version: 1,
    pci,
    bytes,
    command: 0,
    mask: 0,
    cause: 0,
    transmitConfig: 0,
    plusCommand: 0,
    eepromMode: 0,
    eeprom: eepromState(),
    transmitStatus: new Array<number>(DESCRIPTORS).fill(TransmitStatus.Own),
    nextTransmit: 0,
    writePointer: 0,
    normalIndex: 0,
    highIndex: 0,
    receiveIndex: 0,
    polled: 0,
    partial: [],
    timerStart: now,
    timerDeadline: -1,
    waiting: false,
    retryAt: -1,
  };
}

/** A register of two or four bytes among those that keep what is written. */
export function wordAt({ bytes }: Rtl8139State, register: number): number {
  return bytes[register] | (bytes[register + 1] << 8);
}

export function dwordAt(state: Rtl8139State, register: number): number {
  return (wordAt(state, register) | (wordAt(state, register + 2) << 16)) >>> 0;
}

/** A 64-bit address, whose low bits up to `align` do not count. */
export function addressAt(state: Rtl8139State, register: number, align: number): number {
  const low = dwordAt(state, register);
  return dwordAt(state, register + 4) * 2 ** 32 + low - (low % align);
}
