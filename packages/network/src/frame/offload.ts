// SPDX-License-Identifier: Apache-2.0
import type { NetFrame, NetOffload } from "@isola/ports";
import { get16, get32, put16, put32 } from "./bytes.js";
import { checksum, pseudoHeaderSum, sum } from "./checksum.js";
import { Ethernet, ETHERNET_HEADER, EtherType } from "./ethernet.js";
import { plainFrame } from "./plain-frame.js";
import { IPV4_HEADER, IPV6_HEADER, Protocol, TCP_HEADER } from "../ip/protocol.js";

export const VLAN_TAG = 4;
const UDP_CHECKSUM = 6;
const TCP_CHECKSUM = 16;
const FIN_PSH = 0x09;
const CWR = 0x80;

/** Offset of what follows the Ethernet header and a VLAN tag, and its type. */
function networkHeader(bytes: Uint8Array): { readonly at: number; readonly type: number } {
  const type = get16(bytes, Ethernet.Type);
  if (type !== EtherType.Vlan) return { at: ETHERNET_HEADER, type };
  return { at: ETHERNET_HEADER + VLAN_TAG, type: get16(bytes, Ethernet.Type + VLAN_TAG) };
}

/** The frame with its checksum in place; null if the place is outside of it. */
function withChecksum({ bytes, checksumStart, checksumOffset }: NetFrame): NetFrame | null {
  const field = checksumStart + checksumOffset;
  if (field + 2 > bytes.length) return null;
  const whole = bytes.slice();
  const value = checksum(sum(bytes, checksumStart, bytes.length));
  put16(whole, field, value === 0 && checksumOffset === UDP_CHECKSUM ? 0xffff : value);
  return plainFrame(whole);
}

/** Cuts a frame that stands for several TCP segments into these; none if it is malformed. */
function segments({ bytes, segmentSize }: NetFrame): NetFrame[] {
  const { at, type } = networkHeader(bytes);
  const v6 = type === EtherType.Ipv6;
  if (!v6 && type !== EtherType.Ipv4) return [];
  if (bytes.length < at + (v6 ? IPV6_HEADER : IPV4_HEADER) + TCP_HEADER) return [];
  const protocol = bytes[at + (v6 ? 6 : 9)];
  const tcp = at + (v6 ? IPV6_HEADER : (bytes[at] & 15) * 4);
  if (protocol !== Protocol.Tcp || tcp < at + IPV4_HEADER || tcp + TCP_HEADER > bytes.length) return [];
  const payload = tcp + (bytes[tcp + 12] >> 4) * 4;
  if (payload < tcp + TCP_HEADER || payload > bytes.length) return [];
  const source = bytes.subarray(at + (v6 ? 8 : 12), at + (v6 ? 24 : 16));
  const destination = bytes.subarray(at + (v6 ? 24 : 16), at + (v6 ? 40 : 20));
  const cut: NetFrame[] = [];
  for (let from = payload, index = 0; from < bytes.length || index === 0; from += segmentSize, index++) {
    const data = bytes.subarray(from, from + segmentSize);
    const last = from + segmentSize >= bytes.length;
    const frame = new Uint8Array(payload + data.length);
    frame.set(bytes.subarray(0, payload));
    frame.set(data, payload);
    if (v6) put16(frame, at + 4, frame.length - at - IPV6_HEADER);
    else {
      put16(frame, at + 2, frame.length - at);
      put16(frame, at + 4, get16(bytes, at + 4) + index);
      put16(frame, at + 10, 0);
      put16(frame, at + 10, checksum(sum(frame, at, tcp)));
    }
    put32(frame, tcp + 4, (get32(bytes, tcp + 4) + (from - payload)) >>> 0);
    if (!last) frame[tcp + 13] &= ~FIN_PSH;
    if (index > 0) frame[tcp + 13] &= ~CWR;
    put16(frame, tcp + TCP_CHECKSUM, 0);
    const pseudo = pseudoHeaderSum(source, destination, Protocol.Tcp, frame.length - tcp);
    put16(frame, tcp + TCP_CHECKSUM, checksum(sum(frame, tcp, frame.length, pseudo)));
    cut.push(plainFrame(frame));
  }
  return cut;
}

/** Does the work on a frame that its receiver does not do itself; none if the frame is malformed. */
export function adapted(frame: NetFrame, accepts: NetOffload): readonly NetFrame[] {
  if (frame.checksumStart < 0) return [frame];
  if (frame.segmentSize > 0) {
    const v6 = networkHeader(frame.bytes).type === EtherType.Ipv6;
    const accepted = accepts.checksum && (v6 ? accepts.tcp6 : accepts.tcp4);
    return accepted ? [frame] : segments(frame);
  }
  if (accepts.checksum) return [frame];
  const whole = withChecksum(frame);
  return whole === null ? [] : [whole];
}
