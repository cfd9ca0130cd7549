// SPDX-License-Identifier: Apache-2.0
import { MAC_SIZE } from "./registers.js";
import type { ReceiveFilter } from "./state.js";

function isAt(frame: Uint8Array, address: readonly number[]): boolean {
  for (let i = 0; i < MAC_SIZE; i++) if (frame[i] !== address[i]) return false;
  return true;
}

function isBroadcast(frame: Uint8Array): boolean {
  for (let i = 0; i < MAC_SIZE; i++) if (frame[i] !== 0xff) return false;
  return true;
}

/** Whether a frame, by its destination, is for the driver of the card that has address `mac` (5.1.6.5.1, 5.1.6.5.2). */
export function passes(filter: ReceiveFilter, mac: readonly number[], frame: Uint8Array): boolean {
  if (filter.promiscuous) return true;
  if ((frame[0] & 1) === 0) {
    if (filter.noUnicast) return false;
    return filter.allUnicast || isAt(frame, mac) || filter.unicast.some((address) => isAt(frame, address));
  }
  if (isBroadcast(frame)) return !filter.noBroadcast;
  if (filter.noMulticast) return false;
  return filter.allMulticast || filter.multicast.some((address) => isAt(frame, address));
}
