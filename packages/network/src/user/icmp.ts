// SPDX-License-Identifier: Apache-2.0
import { equal, put32 } from "../frame/bytes.js";
import { ETHERNET_HEADER } from "../frame/ethernet.js";
import type { IpAddress } from "../ip/address.js";
import { writeIpHeaders } from "../ip/ip-writer.js";
import { headerSize, icmpOf, type IpPacket } from "../ip/packet.js";
import { IPV6_HEADER, MTU, Protocol, TCP_HEADER } from "../ip/protocol.js";
import { type TcpSegment, writeTcpHeader } from "../tcp/segment.js";
import type { PacketSender, UdpEndpoint } from "./packet-sender.js";
import type { Subnet } from "./subnet.js";

/** Types and codes of ICMP (RFC 792) and ICMPv6 (RFC 4443). */
const ECHO_REPLY = 0;
const ECHO_REQUEST = 8;
const ECHO_REQUEST_6 = 128;
const ECHO_REPLY_6 = 129;
const UNREACHABLE = 3;
const UNREACHABLE_6 = 1;
const ICMP_HEADER = 8;
/** An error shows as much of the packet as makes a datagram of this size (RFC 1812, 4.3.2.3). */
const MAX_ERROR_4 = 576;
const MAX_ERROR_6 = 1280;

export type Unreachable = "host" | "port" | "prohibited";
const CODES: { readonly [why in Unreachable]: { readonly v4: number; readonly v6: number } } = {
  host: { v4: 1, v6: 3 },
  port: { v4: 3, v6: 4 },
  prohibited: { v4: 13, v6: 1 },
};

/** ICMP of the network itself: it answers echo requests to its own addresses, and says what cannot be reached. */
export class Icmp {
  constructor(
    private readonly subnet: Subnet,
    private readonly sender: PacketSender,
  ) {}

  /** An ICMP packet from a guest, IPv4 or IPv6. */
  receive(packet: IpPacket): void {
    const { payload, version, destination, source } = packet;
    const request = version === 4 ? ECHO_REQUEST : ECHO_REQUEST_6;
    if (payload.length < ICMP_HEADER || payload[0] !== request) return;
    if (!this.isOwn(destination)) return this.unreachable(packet, "prohibited");
    const reply = payload.slice();
    reply[0] = version === 4 ? ECHO_REPLY : ECHO_REPLY_6;
    if (reply.length > MTU * 8) return;
    this.sender.ip(icmpOf(version), destination, source, reply);
  }

  /** Tells the sender of `packet` that it did not arrive. */
  unreachable({ version, whole, source }: IpPacket, why: Unreachable): void {
    const shown = whole.subarray(0, (version === 4 ? MAX_ERROR_4 : MAX_ERROR_6) - headerSize(version) - ICMP_HEADER);
    this.error(version, source, shown, why);
  }

  /** The same for a SYN, which is not at hand any more and is written again as far as it matters. */
  tcpUnreachable(guest: UdpEndpoint, remote: UdpEndpoint, syn: TcpSegment): void {
    const packet = new Uint8Array(ETHERNET_HEADER + IPV6_HEADER + TCP_HEADER);
    const fields = { sourceMac: this.subnet.mac, destinationMac: this.subnet.mac };
    const at = writeIpHeaders(packet, {
      ...fields,
      source: guest.address,
      destination: remote.address,
      protocol: Protocol.Tcp,
      length: TCP_HEADER,
    });
    writeTcpHeader(packet, at, { ...syn, maxSegment: 0, windowScale: -1 });
    const version = guest.address.length === 4 ? 4 : 6;
    this.error(version, guest.address, packet.subarray(ETHERNET_HEADER, at + TCP_HEADER), "host");
  }

  private error(version: 4 | 6, to: IpAddress, shown: Uint8Array, why: Unreachable): void {
    const message = new Uint8Array(ICMP_HEADER + shown.length);
    message[0] = version === 4 ? UNREACHABLE : UNREACHABLE_6;
    message[1] = version === 4 ? CODES[why].v4 : CODES[why].v6;
    put32(message, 4, 0);
    message.set(shown, ICMP_HEADER);
    this.sender.ip(icmpOf(version), version === 4 ? this.subnet.gateway : this.subnet.gateway6, to, message);
  }

  private isOwn(address: IpAddress): boolean {
    const { gateway, dns, gateway6, dns6, router6 } = this.subnet;
    return [gateway, dns, gateway6, dns6, router6].some((own) => equal(own, address));
  }
}
