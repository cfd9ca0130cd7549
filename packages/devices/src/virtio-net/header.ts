// SPDX-License-Identifier: Apache-2.0
import type { NetFrame } from "@isola/ports";
import { ETHER_TYPE, EtherType, FLAG_NEEDS_CHECKSUM, GsoType, Header, MIN_FRAME, VLAN_TAG } from "./registers.js";

const GSO_TYPE_MASK = 0x7f;
/** Offset of the length field in a TCP header, in words of four bytes in its upper half. */
const TCP_DATA_OFFSET = 12;

/** A frame as `receive` gets it; one object serves for all. */
export class OutgoingFrame implements NetFrame {
  bytes: Uint8Array = new Uint8Array(0);
  checksumStart = -1;
  checksumOffset = 0;
  segmentSize = 0;
}

/** Type of what the frame carries, behind a VLAN tag if it has one. */
function typeOf(bytes: Uint8Array): number {
  const type = (bytes[ETHER_TYPE] << 8) | bytes[ETHER_TYPE + 1];
  if (type !== EtherType.Vlan) return type;
  return (bytes[ETHER_TYPE + VLAN_TAG] << 8) | bytes[ETHER_TYPE + VLAN_TAG + 1];
}

/**
 * Takes a driver's header and frame into `frame`. False if they contradict each other or ask for what was not offered;
 * such a frame is dropped.
 */
export function parseHeader(header: DataView, bytes: Uint8Array, frame: OutgoingFrame): boolean {
  if (bytes.length < MIN_FRAME) return false;
  frame.bytes = bytes;
  frame.checksumStart = -1;
  frame.segmentSize = 0;
  if ((header.getUint8(Header.Flags) & FLAG_NEEDS_CHECKSUM) !== 0) {
    frame.checksumStart = header.getUint16(Header.ChecksumStart, true);
    frame.checksumOffset = header.getUint16(Header.ChecksumOffset, true);
    if (frame.checksumStart < MIN_FRAME || frame.checksumStart + frame.checksumOffset + 2 > bytes.length) return false;
  }
  const gso = header.getUint8(Header.GsoType) & GSO_TYPE_MASK;
  if (gso === GsoType.None) return true;
  if ((gso !== GsoType.Tcp4 && gso !== GsoType.Tcp6) || frame.checksumStart < 0) return false;
  frame.segmentSize = header.getUint16(Header.GsoSize, true);
  return frame.segmentSize > 0;
}

/** Writes the header of a frame that goes to the driver, for one buffer. */
export function writeHeader(frame: NetFrame, header: DataView): void {
  const { bytes, checksumStart, checksumOffset, segmentSize } = frame;
  const partial = checksumStart >= 0;
  header.setUint8(Header.Flags, partial ? FLAG_NEEDS_CHECKSUM : 0);
  header.setUint16(Header.ChecksumStart, partial ? checksumStart : 0, true);
  header.setUint16(Header.ChecksumOffset, partial ? checksumOffset : 0, true);
  const large = partial && segmentSize > 0;
  header.setUint8(
    Header.GsoType,
    !large ? GsoType.None : typeOf(bytes) === EtherType.Ipv6 ? GsoType.Tcp6 : GsoType.Tcp4,
  );
  header.setUint16(Header.GsoSize, large ? segmentSize : 0, true);
  const headers = large ? checksumStart + (bytes[checksumStart + TCP_DATA_OFFSET] >> 4) * 4 : 0;
  header.setUint16(Header.HeaderLength, headers, true);
  header.setUint16(Header.NumBuffers, 1, true);
}
