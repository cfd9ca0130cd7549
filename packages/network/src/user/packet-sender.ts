// SPDX-License-Identifier: Apache-2.0
import { put16, put32 } from "../frame/bytes.js";
import { checksum, pseudoHeaderSum, sum } from "../frame/checksum.js";
import { ETHERNET_HEADER } from "../frame/ethernet.js";
import type { IpAddress } from "../ip/address.js";
import { writeIpHeaders } from "../ip/ip-writer.js";
import { headerSize } from "../ip/packet.js";
import { MTU, Protocol, UDP_HEADER } from "../ip/protocol.js";
import type { Neighbours } from "./neighbours.js";
import type { Wire } from "./wire.js";

/** Offset of the checksum field in the transport header. */
const CHECKSUM_AT: { readonly [protocol: number]: number } = {
  [Protocol.Icmp]: 2,
  [Protocol.Icmp6]: 2,
  [Protocol.Tcp]: 16,
  [Protocol.Udp]: 6,
};
const FRAGMENT_HEADER = 8;
const NEXT_FRAGMENT = 44;
const MORE = 0x2000;

export interface UdpEndpoint {
  readonly address: IpAddress;
  readonly port: number;
}

/** Sends small packets of the network itself to guests: datagrams, ICMP, resets. */
export class PacketSender {
  private readonly buffer = new Uint8Array(ETHERNET_HEADER + MTU);
  private nextId = 1;

  /** @param mac the gateway's address */
  constructor(
    private readonly wire: Wire,
    private readonly neighbours: Neighbours,
    readonly mac: Uint8Array,
    private readonly ask: (address: IpAddress) => void,
  ) {}

  /** Sends a UDP datagram; `mac` if the guest's address is not to be looked up. */
  udp(from: UdpEndpoint, to: UdpEndpoint, data: Uint8Array, mac?: Uint8Array): void {
    const packet = new Uint8Array(UDP_HEADER + data.length);
    put16(packet, 0, from.port);
    put16(packet, 2, to.port);
    put16(packet, 4, packet.length);
    packet.set(data, UDP_HEADER);
    this.ip(Protocol.Udp, from.address, to.address, packet, { ...(mac !== undefined && { mac }) });
  }

  /** Fills in the checksum of `payload`, an ICMP, TCP or UDP packet, and sends it, in fragments if it is long. */
  ip(
    protocol: Protocol,
    source: IpAddress,
    destination: IpAddress,
    payload: Uint8Array,
    options: { readonly mac?: Uint8Array; readonly hopLimit?: number } = {},
  ): void {
    const mac = options.mac ?? this.neighbours.find(destination);
    if (mac === null) return this.ask(destination);
    const at = CHECKSUM_AT[protocol];
    put16(payload, at, 0);
    const pseudo = protocol === Protocol.Icmp ? 0 : pseudoHeaderSum(source, destination, protocol, payload.length);
    const value = checksum(sum(payload, 0, payload.length, pseudo));
    // Zero means "no checksum" to UDP (RFC 768).
    put16(payload, at, value === 0 && protocol === Protocol.Udp ? 0xffff : value);
    const fields = { destinationMac: mac, sourceMac: this.mac, source, destination, protocol };
    const hopLimit = options.hopLimit === undefined ? {} : { hopLimit: options.hopLimit };
    if (payload.length <= MTU - headerSize(source.length === 4 ? 4 : 6)) {
      const start = writeIpHeaders(this.buffer, { ...fields, ...hopLimit, length: payload.length });
      this.buffer.set(payload, start);
      this.wire.post(this.buffer.subarray(0, start + payload.length));
    } else this.fragments(fields, payload);
  }

  private fragments(fields: Omit<Parameters<typeof writeIpHeaders>[1], "length">, payload: Uint8Array): void {
    const id = this.nextId++ & 0xffff;
    const v4 = fields.source.length === 4;
    const room = (MTU - headerSize(v4 ? 4 : 6) - (v4 ? 0 : FRAGMENT_HEADER)) & ~7;
    const { buffer } = this;
    for (let at = 0; at < payload.length; at += room) {
      const piece = payload.subarray(at, at + room);
      const more = at + room < payload.length;
      let start: number;
      if (v4) {
        start = writeIpHeaders(buffer, { ...fields, length: piece.length });
        const ip = ETHERNET_HEADER;
        put16(buffer, ip + 4, id);
        put16(buffer, ip + 6, (at >> 3) | (more ? MORE : 0));
        put16(buffer, ip + 10, 0);
        put16(buffer, ip + 10, checksum(sum(buffer, ip, start)));
      } else {
        start = writeIpHeaders(buffer, { ...fields, protocol: NEXT_FRAGMENT, length: FRAGMENT_HEADER + piece.length });
        put16(buffer, start, fields.protocol << 8);
        put16(buffer, start + 2, at | (more ? 1 : 0));
        put32(buffer, start + 4, id);
        start += FRAGMENT_HEADER;
      }
      buffer.set(piece, start);
      this.wire.post(buffer.subarray(0, start + piece.length));
    }
  }
}
