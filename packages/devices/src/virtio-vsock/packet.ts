// SPDX-License-Identifier: Apache-2.0
import { Header } from "./registers.js";

/** The header of a packet, without its addresses: between one guest and its host they are always the same two. */
export interface Packet {
  /** Whether it is from the guest's address to the host's. */
  readonly addressed: boolean;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Bytes of payload. */
  readonly length: number;
  readonly type: number;
  readonly op: number;
  readonly flags: number;
  /** The sender's credit: the size of its buffer, and bytes taken out of it so far, modulo 2^32. */
  readonly bufAlloc: number;
  readonly fwdCnt: number;
}

function cidOf(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 2 ** 32;
}

/** Reads a header of 44 bytes that the guest has sent. */
export function readPacket(view: DataView, guestCid: number, hostCid: number): Packet {
  return {
    addressed: cidOf(view, Header.SourceCid) === guestCid && cidOf(view, Header.DestinationCid) === hostCid,
    sourcePort: view.getUint32(Header.SourcePort, true),
    destinationPort: view.getUint32(Header.DestinationPort, true),
    length: view.getUint32(Header.Length, true),
    type: view.getUint16(Header.Type, true),
    op: view.getUint16(Header.Op, true),
    flags: view.getUint32(Header.Flags, true),
    bufAlloc: view.getUint32(Header.BufAlloc, true),
    fwdCnt: view.getUint32(Header.FwdCnt, true),
  };
}

/** Writes a header of 44 bytes for the guest. */
export function writePacket(
  view: DataView,
  packet: Omit<Packet, "addressed">,
  hostCid: number,
  guestCid: number,
): void {
  view.setUint32(Header.SourceCid, hostCid, true);
  view.setUint32(Header.SourceCid + 4, 0, true);
  view.setUint32(Header.DestinationCid, guestCid, true);
  view.setUint32(Header.DestinationCid + 4, 0, true);
  view.setUint32(Header.SourcePort, packet.sourcePort, true);
  view.setUint32(Header.DestinationPort, packet.destinationPort, true);
  view.setUint32(Header.Length, packet.length, true);
  view.setUint16(Header.Type, packet.type, true);
  view.setUint16(Header.Op, packet.op, true);
  view.setUint32(Header.Flags, packet.flags, true);
  view.setUint32(Header.BufAlloc, packet.bufAlloc, true);
  view.setUint32(Header.FwdCnt, packet.fwdCnt, true);
}
