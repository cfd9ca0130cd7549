// SPDX-License-Identifier: Apache-2.0
import { put16 } from "../frame/bytes.js";
import { checksum, sum } from "../frame/checksum.js";
import { Ethernet, ETHERNET_HEADER, EtherType } from "../frame/ethernet.js";
import type { IpAddress } from "./address.js";
import { HOP_LIMIT, IPV4_HEADER, IPV6_HEADER } from "./protocol.js";

export interface IpHeaderFields {
  readonly destinationMac: Uint8Array;
  readonly sourceMac: Uint8Array;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly protocol: number;
  /** Bytes behind the IP header. */
  readonly length: number;
  readonly hopLimit?: number;
}

const DO_NOT_FRAGMENT = 0x4000;

/** Writes Ethernet and IP headers of the version that the addresses are of; returns where the payload begins. */
export function writeIpHeaders(frame: Uint8Array, fields: IpHeaderFields): number {
  const { source, destination, protocol, length, hopLimit = HOP_LIMIT } = fields;
  frame.set(fields.destinationMac, Ethernet.Destination);
  frame.set(fields.sourceMac, Ethernet.Source);
  const at = ETHERNET_HEADER;
  if (source.length === 4) {
    put16(frame, Ethernet.Type, EtherType.Ipv4);
    frame.fill(0, at, at + IPV4_HEADER);
    frame[at] = 0x45;
    put16(frame, at + 2, IPV4_HEADER + length);
    // An atomic packet needs no identification (RFC 6864, 4.1).
    put16(frame, at + 6, DO_NOT_FRAGMENT);
    frame[at + 8] = hopLimit;
    frame[at + 9] = protocol;
    frame.set(source, at + 12);
    frame.set(destination, at + 16);
    put16(frame, at + 10, checksum(sum(frame, at, at + IPV4_HEADER)));
    return at + IPV4_HEADER;
  }
  put16(frame, Ethernet.Type, EtherType.Ipv6);
  frame.fill(0, at, at + 8);
  frame[at] = 0x60;
  put16(frame, at + 4, length);
  frame[at + 6] = protocol;
  frame[at + 7] = hopLimit;
  frame.set(source, at + 8);
  frame.set(destination, at + 24);
  return at + IPV6_HEADER;
}
