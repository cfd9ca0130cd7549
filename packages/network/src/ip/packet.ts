// SPDX-License-Identifier: Apache-2.0
import { get16 } from "../frame/bytes.js";
import { checksum, sum } from "../frame/checksum.js";
import { ETHERNET_HEADER } from "../frame/ethernet.js";
import type { IpAddress } from "./address.js";
import { IPV4_HEADER, IPV6_HEADER, Protocol } from "./protocol.js";

/** An IP packet inside a frame; arrays are views into it. */
export interface IpPacket {
  readonly version: 4 | 6;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly protocol: number;
  readonly hopLimit: number;
  /** The transport header and all behind it, without padding of the frame. */
  readonly payload: Uint8Array;
  /** Offset of `payload` in the frame. */
  readonly start: number;
  /** The packet from its IP header on, for ICMP errors. */
  readonly whole: Uint8Array;
  /** Fragment of a larger packet: identification, offset in bytes, whether more follow; null for a whole packet. */
  readonly fragment: { readonly id: number; readonly offset: number; readonly more: boolean } | null;
}

/** Reads an IPv4 packet (RFC 791); null if it is malformed. */
export function parseIpv4(frame: Uint8Array): IpPacket | null {
  const at = ETHERNET_HEADER;
  if (frame.length < at + IPV4_HEADER || frame[at] >> 4 !== 4) return null;
  const header = (frame[at] & 15) * 4;
  const total = get16(frame, at + 2);
  if (header < IPV4_HEADER || total < header || at + total > frame.length) return null;
  if (checksum(sum(frame, at, at + header)) !== 0) return null;
  const flags = get16(frame, at + 6);
  const fragmented = (flags & 0x3fff) !== 0;
  return {
    version: 4,
    source: frame.subarray(at + 12, at + 16),
    destination: frame.subarray(at + 16, at + 20),
    protocol: frame[at + 9],
    hopLimit: frame[at + 8],
    payload: frame.subarray(at + header, at + total),
    start: at + header,
    whole: frame.subarray(at, at + total),
    fragment: fragmented
      ? { id: get16(frame, at + 4), offset: (flags & 0x1fff) * 8, more: (flags & 0x2000) !== 0 }
      : null,
  };
}

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const DESTINATION_OPTIONS = 60;
/** Extension headers that are walked at most. */
const MAX_EXTENSIONS = 8;

/** Reads an IPv6 packet (RFC 8200) behind its extension headers; null if it is malformed. Fragments are told as such. */
export function parseIpv6(frame: Uint8Array): IpPacket | null {
  const at = ETHERNET_HEADER;
  if (frame.length < at + IPV6_HEADER || frame[at] >> 4 !== 6) return null;
  const end = at + IPV6_HEADER + get16(frame, at + 4);
  if (end > frame.length) return null;
  let next = frame[at + 6];
  let start = at + IPV6_HEADER;
  let fragment: IpPacket["fragment"] = null;
  for (let count = 0; isExtension(next); count++) {
    if (count === MAX_EXTENSIONS || start + 8 > end) return null;
    const length = next === FRAGMENT ? 8 : (frame[start + 1] + 1) * 8;
    if (start + length > end) return null;
    if (next === FRAGMENT) {
      const field = get16(frame, start + 2);
      const offset = field & 0xfff8;
      const more = (field & 1) !== 0;
      // The lower half of the 32-bit identification is enough to tell fragments of one sender apart.
      if (offset > 0 || more) fragment = { id: get16(frame, start + 6), offset, more };
    }
    next = frame[start];
    start += length;
    if (fragment !== null) break;
  }
  return {
    version: 6,
    source: frame.subarray(at + 8, at + 24),
    destination: frame.subarray(at + 24, at + 40),
    protocol: next,
    hopLimit: frame[at + 7],
    payload: frame.subarray(start, end),
    start,
    whole: frame.subarray(at, end),
    fragment,
  };
}

function isExtension(next: number): boolean {
  return next === HOP_BY_HOP || next === ROUTING || next === FRAGMENT || next === DESTINATION_OPTIONS;
}

export function headerSize(version: 4 | 6): number {
  return version === 4 ? IPV4_HEADER : IPV6_HEADER;
}

export function icmpOf(version: 4 | 6): Protocol {
  return version === 4 ? Protocol.Icmp : Protocol.Icmp6;
}
