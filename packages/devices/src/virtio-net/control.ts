// SPDX-License-Identifier: Apache-2.0
import { ControlClass, MAC_SIZE, MacCommand, MAX_MAC_ENTRIES, ReceiveCommand } from "./registers.js";
import type { ReceiveFilter, VirtioNetState } from "./state.js";

const MODES: { readonly [command: number]: Exclude<keyof ReceiveFilter, "unicast" | "multicast"> } = {
  [ReceiveCommand.Promiscuous]: "promiscuous",
  [ReceiveCommand.AllMulticast]: "allMulticast",
  [ReceiveCommand.AllUnicast]: "allUnicast",
  [ReceiveCommand.NoMulticast]: "noMulticast",
  [ReceiveCommand.NoUnicast]: "noUnicast",
  [ReceiveCommand.NoBroadcast]: "noBroadcast",
};

interface MacTable {
  readonly addresses: number[][];
  /** Offset behind it. */
  readonly end: number;
  readonly tooLong: boolean;
}

/** Reads a table of the MAC_TABLE_SET command: a 32-bit count and as many addresses; null if it is cut short. */
function readTable(command: Uint8Array, at: number): MacTable | null {
  if (at + 4 > command.length) return null;
  const count = new DataView(command.buffer, command.byteOffset + at).getUint32(0, true);
  const end = at + 4 + count * MAC_SIZE;
  if (end > command.length) return null;
  const tooLong = count > MAX_MAC_ENTRIES;
  const addresses: number[][] = [];
  for (let i = 0; i < count && !tooLong; i++) {
    const start = at + 4 + i * MAC_SIZE;
    addresses.push([...command.subarray(start, start + MAC_SIZE)]);
  }
  return { addresses, end, tooLong };
}

function setTables(filter: ReceiveFilter, command: Uint8Array): boolean {
  const unicast = readTable(command, 2);
  const multicast = unicast === null ? null : readTable(command, unicast.end);
  if (unicast === null || multicast === null) return false;
  filter.unicast = unicast.addresses;
  filter.multicast = multicast.addresses;
  if (unicast.tooLong) filter.allUnicast = true;
  if (multicast.tooLong) filter.allMulticast = true;
  return true;
}

/** Obeys one command of the control queue: class, command, data. False if there is no such command or it is malformed. */
export function obey(state: VirtioNetState, command: Uint8Array): boolean {
  if (command.length < 2) return false;
  const [kind, code] = command;
  if (kind === ControlClass.Receive) {
    const mode = MODES[code];
    if (mode === undefined || command.length < 3) return false;
    state.filter[mode] = command[2] !== 0;
    return true;
  }
  if (kind !== ControlClass.Mac) return false;
  if (code === MacCommand.TableSet) return setTables(state.filter, command);
  if (code !== MacCommand.AddressSet || command.length < 2 + MAC_SIZE) return false;
  state.mac = [...command.subarray(2, 2 + MAC_SIZE)];
  return true;
}
