// SPDX-License-Identifier: Apache-2.0
import { FrameStatus, ReceiveConfig, Reg } from "./registers.js";
import { dwordAt, type Rtl8139State } from "./state.js";

const ADDRESS_BYTES = 6;
const POLYNOMIAL = 0x04c1_1db7;

/** Upper six bits of the CRC of an address, most significant bit first: its bit in the multicast table. */
export function multicastBit(address: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (let i = 0; i < ADDRESS_BYTES; i++) {
    for (let bit = 0; bit < 8; bit++) {
      const carry = (crc >>> 31) ^ ((address[i] >> bit) & 1);
      crc <<= 1;
      if (carry !== 0) crc ^= POLYNOMIAL;
    }
  }
  return crc >>> 26;
}

/** What kind of frame it is if the card takes it, as status bits; 0 if it does not. */
export function acceptance(state: Rtl8139State, frame: Uint8Array): number {
  const config = dwordAt(state, Reg.ReceiveConfig);
  const all = (config & ReceiveConfig.All) !== 0;
  const address = frame.subarray(0, ADDRESS_BYTES);
  if (address.every((byte) => byte === 0xff))
    return all || (config & ReceiveConfig.Broadcast) !== 0 ? FrameStatus.Ok | FrameStatus.Broadcast : 0;
  if ((frame[0] & 1) !== 0) {
    const bit = multicastBit(address);
    const wanted =
      (config & ReceiveConfig.Multicast) !== 0 &&
      ((state.bytes[Reg.MulticastTable + (bit >> 3)] >> (bit & 7)) & 1) !== 0;
    return all || wanted ? FrameStatus.Ok | FrameStatus.Multicast : 0;
  }
  const own = address.every((byte, i) => byte === state.bytes[Reg.Address + i]);
  if (own && (all || (config & ReceiveConfig.Own) !== 0)) return FrameStatus.Ok | FrameStatus.Own;
  return all ? FrameStatus.Ok : 0;
}
