// SPDX-License-Identifier: Apache-2.0
import type { NetFrame, NetLink, NetOffload, NetPort, Timers } from "@isola/ports";
import { get16, put16 } from "../frame/bytes.js";
import { checksum, fold, pseudoHeaderSum, sum } from "../frame/checksum.js";
import { BROADCAST, Ethernet, ETHERNET_HEADER, EtherType } from "../frame/ethernet.js";
import { plainFrame } from "../frame/plain-frame.js";
import { type IpAddress, ip } from "../ip/address.js";
import { writeIpHeaders } from "../ip/ip-writer.js";
import { type IpPacket, parseIpv4, parseIpv6 } from "../ip/packet.js";
import { Protocol, TCP_HEADER, UDP_HEADER } from "../ip/protocol.js";
import { parseSegment, type TcpSegment, writeTcpHeader } from "../tcp/segment.js";
import { type OutgoingSegment, TcpEndpoint, type TcpEndpointPorts } from "../tcp/tcp-endpoint.js";
import { DEFAULT_SUBNET } from "./subnet.js";

export const GUEST_MAC = Uint8Array.of(0x52, 0x54, 0, 1, 2, 3);
export const GUEST = ip("10.0.2.15");
export const GUEST6 = ip("fd69:736f:6c61::15");
export const { gateway: GATEWAY, dns: DNS, gateway6: GATEWAY6, dns6: DNS6 } = DEFAULT_SUBNET;

/** Time that a test moves; timers fire while it does. */
export class TestTimers implements Timers {
  private time = 1e9;
  private readonly all: { deadline: number; fire: (deadline: number) => void }[] = [];

  now(): number {
    return this.time;
  }

  create(fire: (deadline: number) => void) {
    const timer = { deadline: Infinity, fire };
    this.all.push(timer);
    return {
      set: (deadline: number) => void (timer.deadline = deadline),
      cancel: () => void (timer.deadline = Infinity),
    };
  }

  advance(ns: number): void {
    const end = this.time + ns;
    for (;;) {
      const next = this.all.reduce((a, b) => (b.deadline < a.deadline ? b : a));
      if (next.deadline > end) break;
      this.time = Math.max(this.time, next.deadline);
      const at = next.deadline;
      next.deadline = Infinity;
      next.fire(at);
    }
    this.time = end;
  }
}

/** A guest's connection, with what came over it. */
export class GuestConnection implements TcpEndpointPorts {
  endpoint: TcpEndpoint | null = null;
  received: Uint8Array[] = [];
  up = false;
  hasEnded = false;
  reason: "reset" | "timeout" | null | undefined;
  roomLeft = 1 << 20;

  constructor(
    private readonly guest: TestGuest,
    readonly local: { address: IpAddress; port: number },
    readonly remote: { address: IpAddress; port: number },
  ) {}

  now = () => this.guest.timers.now();
  largest = (packet: number) => packet * this.guest.aggregate;
  room = () => this.roomLeft;
  established = () => void (this.up = true);
  data = (bytes: Uint8Array) => void this.received.push(bytes.slice());
  ended = () => void (this.hasEnded = true);
  acknowledged = () => {};
  acknowledgeSoon = () => this.endpoint?.acknowledgeNow();
  closed = (reason: "reset" | "timeout" | null) => void (this.reason = reason);
  send = (segment: OutgoingSegment) => this.guest.sendSegment(this, segment);

  get bytes(): Uint8Array {
    const all = new Uint8Array(this.received.reduce((total, { length }) => total + length, 0));
    let at = 0;
    for (const piece of this.received) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }
}

/** A guest as the network sees it: frames, and a small TCP of its own. */
export class TestGuest implements NetPort {
  offload: NetOffload = { checksum: false, tcp4: false, tcp6: false };
  readonly frames: NetFrame[] = [];
  readonly connections: GuestConnection[] = [];
  /** Ports on which it accepts connections. */
  readonly accepts = new Set<number>();
  /** Packets of full size that one of its frames may stand for. */
  aggregate = 1;
  room = Infinity;
  private touched = false;

  constructor(
    readonly network: NetLink,
    readonly timers: Timers,
  ) {
    network.connect(this);
  }

  receive(frame: NetFrame): boolean {
    if (this.room <= 0) return false;
    this.room--;
    const { checksumStart, checksumOffset, segmentSize } = frame;
    this.frames.push({ bytes: frame.bytes.slice(), checksumStart, checksumOffset, segmentSize });
    this.touched = true;
    return true;
  }

  flush(): void {}

  ready(): void {}

  /** Lets the guest's TCP look at what came; true if there was something. */
  work(): boolean {
    const had = this.touched;
    this.touched = false;
    for (const frame of this.frames) this.tcpFrame(frame);
    this.frames.length = 0;
    for (const connection of this.connections) {
      connection.endpoint?.tick(this.timers.now());
      connection.endpoint?.output();
    }
    this.network.flush();
    return had;
  }

  /** The packets that came since the last call. */
  packets(): IpPacket[] {
    return this.frames
      .splice(0)
      .map(packetOf)
      .filter((packet) => packet !== null);
  }

  sendPacket(protocol: number, source: IpAddress, destination: IpAddress, payload: Uint8Array): void {
    const frame = new Uint8Array(ETHERNET_HEADER + 40 + payload.length);
    const at = writeIpHeaders(frame, {
      destinationMac: DEFAULT_SUBNET.mac,
      sourceMac: GUEST_MAC,
      source,
      destination,
      protocol,
      length: payload.length,
      hopLimit: 255,
    });
    frame.set(payload, at);
    this.network.receive(plainFrame(frame.subarray(0, at + payload.length)));
  }

  sendUdp(source: IpAddress, port: number, destination: IpAddress, to: number, data: Uint8Array): void {
    const packet = new Uint8Array(UDP_HEADER + data.length);
    put16(packet, 0, port);
    put16(packet, 2, to);
    put16(packet, 4, packet.length);
    packet.set(data, UDP_HEADER);
    put16(packet, 6, checksum(sum(packet, 0, packet.length, pseudoHeaderSum(source, destination, 17, packet.length))));
    this.sendPacket(Protocol.Udp, source, destination, packet);
    this.network.flush();
  }

  sendIcmp(source: IpAddress, destination: IpAddress, message: Uint8Array): void {
    const v6 = source.length === 16;
    const protocol = v6 ? Protocol.Icmp6 : Protocol.Icmp;
    const pseudo = v6 ? pseudoHeaderSum(source, destination, protocol, message.length) : 0;
    put16(message, 2, 0);
    put16(message, 2, checksum(sum(message, 0, message.length, pseudo)));
    this.sendPacket(protocol, source, destination, message);
    this.network.flush();
  }

  /** Says by ARP who it is. */
  announce(): void {
    const frame = new Uint8Array(42);
    frame.set(BROADCAST, Ethernet.Destination);
    frame.set(GUEST_MAC, Ethernet.Source);
    put16(frame, Ethernet.Type, EtherType.Arp);
    frame.set([0, 1, 8, 0, 6, 4, 0, 1, ...GUEST_MAC, ...GUEST, 0, 0, 0, 0, 0, 0, ...GATEWAY], ETHERNET_HEADER);
    this.network.receive(plainFrame(frame));
  }

  connect(address: IpAddress, port: number, from = 40_000 + this.connections.length): GuestConnection {
    const local = { address: address.length === 4 ? GUEST : GUEST6, port: from };
    const connection = new GuestConnection(this, local, { address, port });
    this.connections.push(connection);
    connection.endpoint = TcpEndpoint.connect(connection, 1000 * from, 1460);
    this.network.flush();
    return connection;
  }

  sendSegment({ local, remote }: GuestConnection, segment: OutgoingSegment): boolean {
    const packet = new Uint8Array(TCP_HEADER + 8 + segment.length);
    const header = writeTcpHeader(packet, 0, { ...segment, sourcePort: local.port, destinationPort: remote.port });
    segment.data.copy(segment.offset, segment.length, packet, header);
    const whole = packet.subarray(0, header + segment.length);
    const pseudo = pseudoHeaderSum(local.address, remote.address, Protocol.Tcp, whole.length);
    put16(whole, 16, checksum(sum(whole, 0, whole.length, pseudo)));
    this.sendPacket(Protocol.Tcp, local.address, remote.address, whole);
    return true;
  }

  private tcpFrame(frame: NetFrame): void {
    const packet = packetOf(frame);
    if (packet === null || packet.protocol !== Protocol.Tcp) return;
    const segment = parseSegment(packet.payload);
    if (segment !== null) this.segmentOf(packet, segment).endpoint?.receive(segment);
  }

  private segmentOf(packet: IpPacket, segment: TcpSegment): GuestConnection {
    const known = this.connections.findLast(
      ({ local, remote }) => local.port === segment.destinationPort && remote.port === segment.sourcePort,
    );
    if (known !== undefined) return known;
    const local = { address: packet.destination.slice(), port: segment.destinationPort };
    const fresh = new GuestConnection(this, local, { address: packet.source.slice(), port: segment.sourcePort });
    this.connections.push(fresh);
    if (this.accepts.has(local.port)) fresh.endpoint = TcpEndpoint.accept(fresh, segment, 77, 1460);
    return fresh;
  }
}

/** Reads a frame and checks everything that a careful receiver would; throws if something is wrong. */
export function packetOf(frame: NetFrame): IpPacket | null {
  const { bytes, checksumStart, checksumOffset } = frame;
  const type = get16(bytes, Ethernet.Type);
  if (type === EtherType.Arp) return null;
  const packet = type === EtherType.Ipv4 ? parseIpv4(bytes) : parseIpv6(bytes);
  if (packet === null) throw new Error("the network sent a malformed packet");
  if (packet.fragment !== null) return packet;
  const { payload, source, destination, protocol } = packet;
  const pseudo = protocol === Protocol.Icmp ? 0 : pseudoHeaderSum(source, destination, protocol, payload.length);
  if (checksumStart >= 0) {
    if (get16(bytes, checksumStart + checksumOffset) !== fold(pseudo)) throw new Error("bad partial checksum");
  } else if (checksum(sum(payload, 0, payload.length, pseudo)) !== 0) throw new Error("bad checksum");
  if (bytes.length > 1514 && frame.segmentSize === 0) throw new Error("a frame is too long");
  return packet;
}
