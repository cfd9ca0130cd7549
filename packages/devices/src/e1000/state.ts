// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import type { PciFunctionState } from "../pci/function.js";
import { type EepromState, eepromState } from "./eeprom.js";
import { phyRegisters } from "./phy.js";
import {
  ADDRESS_WORDS,
  MULTICAST_WORDS,
  PACKET_BUFFER,
  PACKET_BUFFER_DEFAULT,
  Reg,
  VLAN_TYPE_DEFAULT,
  VLAN_WORDS,
} from "./registers.js";

/** A descriptor ring: where, how many bytes, next for the card, next for the driver. */
export interface Ring {
  base: [number, number];
  length: number;
  head: number;
  tail: number;
}

/** The last context descriptor (3.3.6): where headers begin and where checksums go. */
export interface TransmitContext {
  ipStart: number;
  ipOffset: number;
  ipEnd: number;
  transportStart: number;
  transportOffset: number;
  headerLength: number;
  segmentSize: number;
}

export interface E1000State extends DeviceState {
  readonly device: "e1000";
  readonly version: 1;
  pci: PciFunctionState;
  control: number;
  cause: number;
  mask: number;
  /** Time in ns before which no interrupt may begin. */
  quietUntil: number;
  receiveControl: number;
  transmitControl: number;
  eepromRead: number;
  mdi: number;
  ioAddress: number;
  receive: Ring;
  transmit: Ring;
  context: TransmitContext;
  /** Bytes of a packet whose last descriptor has not come, and the options of its first one. */
  partial: number[];
  partialOptions: number;
  /** Registers without a function of their own, by offset. */
  plain: { [offset: string]: number };
  multicast: number[];
  addresses: number[];
  vlans: number[];
  phy: number[];
  eeprom: EepromState;
}

const ring = (): Ring => ({ base: [0, 0], length: 0, head: 0, tail: 0 });
const zeros = (length: number): number[] => new Array<number>(length).fill(0);

/** After reset the address is the one in the EEPROM (13.5.2). */
export function e1000State(pci: PciFunctionState, mac: readonly number[]): E1000State {
  const addresses = zeros(ADDRESS_WORDS);
  addresses[0] = (mac[0] | (mac[1] << 8) | (mac[2] << 16) | (mac[3] << 24)) >>> 0;
  addresses[1] = (0x8000_0000 | mac[4] | (mac[5] << 8)) >>> 0;
  return {
    device: "e1000",
    version: 1,
    pci,
    control: 0,
    cause: 0,
    mask: 0,
    quietUntil: 0,
    receiveControl: 0,
    transmitControl: 0,
    eepromRead: 0,
    mdi: 0,
    ioAddress: 0,
    receive: ring(),
    transmit: ring(),
    context: {
      ipStart: 0,
      ipOffset: 0,
      ipEnd: 0,
      transportStart: 0,
      transportOffset: 0,
      headerLength: 0,
      segmentSize: 0,
    },
    partial: [],
    partialOptions: 0,
    plain: { [PACKET_BUFFER]: PACKET_BUFFER_DEFAULT, [Reg.VlanType]: VLAN_TYPE_DEFAULT },
    multicast: zeros(MULTICAST_WORDS),
    addresses,
    vlans: zeros(VLAN_WORDS),
    phy: phyRegisters(),
    eeprom: eepromState(),
  };
}
