// SPDX-License-Identifier: Apache-2.0
import { DEVICE_82540EM, INTEL_VENDOR, SUBSYSTEM } from "./registers.js";

const WORDS = 64;
const ADDRESS_BITS = 6;
/** The words of an image sum up to this (5.6.35). */
const CHECKSUM = 0xbaba;
const CHECKSUM_WORD = 0x3f;

/** Bits of the EEPROM control register (13.4.3). */
const enum Pin {
  Clock = 1,
  Select = 2,
  DataIn = 4,
  DataOut = 8,
  Request = 0x40,
  Grant = 0x80,
  Present = 0x100,
}
const WRITABLE = Pin.Clock | Pin.Select | Pin.DataIn | Pin.Request | 0x30;
/** A start bit and the two bits of READ. */
const READ = 0b110;
const COMMAND_BITS = 3 + ADDRESS_BITS;

/** What a driver has clocked in since it selected the chip. */
export interface EepromState {
  pins: number;
  bits: number;
  shift: number;
  /** Word that is being clocked out, or -1, and how many of its bits remain. */
  word: number;
  left: number;
}

export function eepromState(): EepromState {
  return { pins: 0, bits: 0, shift: 0, word: -1, left: 0 };
}

/** Contents for a card with that address (5.6). */
export function eepromWords(mac: readonly number[]): number[] {
  const words = new Array<number>(WORDS).fill(0);
  for (let i = 0; i < 3; i++) words[i] = mac[2 * i] | (mac[2 * i + 1] << 8);
  words[0x0a] = 0x4008;
  words[0x0b] = SUBSYSTEM;
  words[0x0c] = INTEL_VENDOR;
  words[0x0d] = DEVICE_82540EM;
  words[0x0e] = INTEL_VENDOR;
  words[0x0f] = 0x3040;
  const sum = words.reduce((total, word) => total + word, 0);
  words[CHECKSUM_WORD] = (CHECKSUM - sum) & 0xffff;
  return words;
}

/** The EEPROM control register as a driver reads it: access is granted at once. */
export function readPins({ pins, word, left }: EepromState): number {
  const out = word >= 0 && left >= 0 ? (word >> left) & 1 : 1;
  const granted = (pins & Pin.Request) === 0 ? 0 : Pin.Grant;
  return pins | Pin.Present | granted | (out === 0 ? 0 : Pin.DataOut);
}

/** A driver moves the wires of the Microwire bus (5.6.1); on each rising edge of the clock one bit goes in or out. */
export function writePins(state: EepromState, words: readonly number[], value: number): void {
  const before = state.pins;
  state.pins = value & WRITABLE;
  if ((state.pins & Pin.Select) === 0) {
    state.bits = 0;
    state.shift = 0;
    state.word = -1;
    return;
  }
  if ((before & Pin.Clock) !== 0 || (state.pins & Pin.Clock) === 0) return;
  if (state.word >= 0) {
    if (state.left > 0) state.left--;
    return;
  }
  const bit = (state.pins & Pin.DataIn) === 0 ? 0 : 1;
  // The chip sleeps until the start bit.
  if (state.bits === 0 && bit === 0) return;
  state.shift = (state.shift << 1) | bit;
  if (++state.bits < COMMAND_BITS) return;
  if (state.shift >> ADDRESS_BITS === READ) {
    // A zero comes before the sixteen bits of the word.
    state.word = words[state.shift & (WORDS - 1)];
    state.left = 16;
  }
  state.bits = 0;
  state.shift = 0;
}
