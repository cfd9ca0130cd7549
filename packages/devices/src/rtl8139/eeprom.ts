// SPDX-License-Identifier: Apache-2.0
import { type EepromState, readPins, writePins } from "../e1000/eeprom.js";
import { DEVICE_RTL8139, Eeprom, REALTEK_VENDOR } from "./registers.js";

const WORDS = 64;
/** The first word of an EEPROM that has been programmed. */
const SIGNATURE = 0x8129;
const MAC_WORD = 7;
/** Pins as the chip numbers them that both cards have. */
const enum ChipPin {
  Clock = 1,
  Select = 2,
  DataIn = 4,
  DataOut = 8,
}

/** Contents of the 93C46 of a card with that address (data sheet, section 6). */
export function eepromWords(mac: readonly number[]): number[] {
  const words = new Array<number>(WORDS).fill(0);
  words[0] = SIGNATURE;
  words[1] = REALTEK_VENDOR;
  words[2] = DEVICE_RTL8139;
  words[3] = REALTEK_VENDOR;
  words[4] = DEVICE_RTL8139;
  for (let i = 0; i < 3; i++) words[MAC_WORD + i] = mac[2 * i] | (mac[2 * i + 1] << 8);
  return words;
}

/** A driver moves the wires of the EEPROM by the command register. */
export function writeEeprom(state: EepromState, words: readonly number[], value: number): void {
  const clock = (value & Eeprom.Clock) === 0 ? 0 : ChipPin.Clock;
  const select = (value & Eeprom.Select) === 0 ? 0 : ChipPin.Select;
  const data = (value & Eeprom.DataIn) === 0 ? 0 : ChipPin.DataIn;
  writePins(state, words, clock | select | data);
}

/** The wires as the command register shows them. */
export function readEeprom(state: EepromState): number {
  const pins = readPins(state);
  return (
    ((pins & ChipPin.Clock) === 0 ? 0 : Eeprom.Clock) |
    ((pins & ChipPin.Select) === 0 ? 0 : Eeprom.Select) |
    ((pins & ChipPin.DataIn) === 0 ? 0 : Eeprom.DataIn) |
    ((pins & ChipPin.DataOut) === 0 ? 0 : Eeprom.DataOut)
  );
}
