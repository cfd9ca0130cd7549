// SPDX-License-Identifier: Apache-2.0
import { put16 } from "../frame/bytes.js";
import { checksum, fold, pseudoHeaderSum, sum } from "../frame/checksum.js";
import { ETHERNET_HEADER } from "../frame/ethernet.js";
import { ReusedFrame } from "../frame/plain-frame.js";
import type { IpAddress } from "../ip/address.js";
import { writeIpHeaders } from "../ip/ip-writer.js";
import { headerSize } from "../ip/packet.js";
import { MTU, Protocol, TCP_HEADER } from "../ip/protocol.js";
import { CHECKSUM_OFFSET, TcpFlag, type TcpSegment, writeTcpHeader } from "../tcp/segment.js";
import type { OutgoingSegment } from "../tcp/tcp-endpoint.js";
import { add } from "../tcp/sequence.js";
import type { Neighbours } from "./neighbours.js";
import type { PacketSender, UdpEndpoint } from "./packet-sender.js";
import type { Wire } from "./wire.js";

/** Largest payload of one large frame: an IP packet has at most 65535 bytes, options included. */
const MAX_LARGE = 65_535 - 60 - 60;
const BUFFER = ETHERNET_HEADER + 65_535 + 40;

/** Makes frames of TCP segments. One buffer serves all connections. */
export class TcpOutput {
  private readonly buffer = new Uint8Array(BUFFER);
  private readonly frame = new ReusedFrame();

  constructor(
    private readonly wire: Wire,
    private readonly neighbours: Neighbours,
    private readonly sender: PacketSender,
    private readonly ask: (address: IpAddress) => void,
  ) {}

  /** What a guest may send in one packet. */
  maxSegment(version: 4 | 6): number {
    return MTU - headerSize(version) - TCP_HEADER;
  }

  /** Most payload that one frame takes: many packets' if the guest's card puts up with that. */
  largest(version: 4 | 6, packet: number): number {
    const { offload } = this.wire;
    if (!(version === 4 ? offload.tcp4 : offload.tcp6)) return packet;
    return Math.max(packet, MAX_LARGE - (MAX_LARGE % packet));
  }

  /** Sends a segment; false if the cable is full. What has nowhere to go is lost, and sent again by its timer. */
  send(from: UdpEndpoint, to: UdpEndpoint, segment: OutgoingSegment): boolean {
    const mac = this.neighbours.find(to.address);
    if (mac === null) {
      this.ask(to.address);
      return true;
    }
    const { buffer, frame } = this;
    const { length } = segment;
    const options = (segment.maxSegment > 0 ? 4 : 0) + (segment.windowScale >= 0 ? 4 : 0);
    const size = TCP_HEADER + options + length;
    const at = writeIpHeaders(buffer, {
      destinationMac: mac,
      sourceMac: this.sender.mac,
      source: from.address,
      destination: to.address,
      protocol: Protocol.Tcp,
      length: size,
    });
    const header = writeTcpHeader(buffer, at, {
      sourcePort: from.port,
      destinationPort: to.port,
      seq: segment.seq,
      ack: segment.ack,
      flags: segment.flags,
      window: segment.window,
      maxSegment: segment.maxSegment,
      windowScale: segment.windowScale,
    });
    segment.data.copy(segment.offset, length, buffer, at + header);
    const pseudo = pseudoHeaderSum(from.address, to.address, Protocol.Tcp, size);
    const partial = this.wire.offload.checksum;
    put16(buffer, at + CHECKSUM_OFFSET, partial ? fold(pseudo) : checksum(sum(buffer, at, at + size, pseudo)));
    frame.bytes = buffer.subarray(0, at + size);
    frame.checksumStart = partial ? at : -1;
    frame.checksumOffset = CHECKSUM_OFFSET;
    frame.segmentSize = length > segment.packet ? segment.packet : 0;
    return this.wire.send(frame);
  }

  /** Answers a segment that belongs to no connection (RFC 9293, 3.10.7.1). */
  refuse(from: UdpEndpoint, to: UdpEndpoint, segment: TcpSegment): void {
    if ((segment.flags & TcpFlag.Rst) !== 0) return;
    const acknowledged = (segment.flags & TcpFlag.Ack) !== 0;
    const consumed =
      segment.payload.length +
      ((segment.flags & TcpFlag.Syn) !== 0 ? 1 : 0) +
      ((segment.flags & TcpFlag.Fin) !== 0 ? 1 : 0);
    const packet = new Uint8Array(TCP_HEADER);
    writeTcpHeader(packet, 0, {
      sourcePort: from.port,
      destinationPort: to.port,
      seq: acknowledged ? segment.ack : 0,
      ack: acknowledged ? 0 : add(segment.seq, consumed),
      flags: acknowledged ? TcpFlag.Rst : TcpFlag.Rst | TcpFlag.Ack,
      window: 0,
      maxSegment: 0,
      windowScale: -1,
    });
    this.sender.ip(Protocol.Tcp, from.address, to.address, packet);
  }
}
