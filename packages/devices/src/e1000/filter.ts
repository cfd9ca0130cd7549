// SPDX-License-Identifier: Apache-2.0
import { MAX_FRAME, MAX_LONG_FRAME, Receive } from "./registers.js";
import type { E1000State } from "./state.js";

const VLAN_TAGGED = 0x8100;
const ADDRESS_VALID = 0x8000_0000;
/** Which twelve bits of the address choose the bit of the multicast table (13.5.1). */
const HASH_SHIFTS = [4, 3, 2, 0] as const;

function isOwn({ addresses }: E1000State, frame: Uint8Array): boolean {
  const low = (frame[0] | (frame[1] << 8) | (frame[2] << 16) | (frame[3] << 24)) >>> 0;
  const high = frame[4] | (frame[5] << 8);
  for (let i = 0; i < addresses.length; i += 2)
    if (addresses[i] === low && (addresses[i + 1] & 0xffff) === high && (addresses[i + 1] & ADDRESS_VALID) !== 0)
      return true;
  return false;
}

function isInTable({ multicast, receiveControl }: E1000State, frame: Uint8Array): boolean {
  const shift = HASH_SHIFTS[(receiveControl >> Receive.OffsetShift) & 3];
  const hash = ((frame[4] | (frame[5] << 8)) >> shift) & 0xfff;
  return ((multicast[hash >> 5] >>> (hash & 31)) & 1) !== 0;
}

/** Whether the card takes a frame (3.2.1). */
export function accepts(state: E1000State, frame: Uint8Array): boolean {
  const control = state.receiveControl;
  if (frame.length > ((control & Receive.LongPackets) === 0 ? MAX_FRAME : MAX_LONG_FRAME)) return false;
  if ((control & Receive.VlanFilter) !== 0 && ((frame[12] << 8) | frame[13]) === VLAN_TAGGED) {
    const vlan = ((frame[14] << 8) | frame[15]) & 0xfff;
    if (((state.vlans[vlan >> 5] >>> (vlan & 31)) & 1) === 0) return false;
  }
  if ((frame[0] & 1) === 0) return (control & Receive.UnicastAll) !== 0 || isOwn(state, frame);
  if ((control & Receive.MulticastAll) !== 0 || isOwn(state, frame)) return true;
  if (frame.subarray(0, 6).every((byte) => byte === 0xff)) return (control & Receive.Broadcast) !== 0;
  return isInTable(state, frame);
}
