// SPDX-License-Identifier: Apache-2.0
import type { Timer, Timers } from "@isola/ports";
import { equal, put16, put32 } from "../frame/bytes.js";
import { Ethernet, MAC_SIZE } from "../frame/ethernet.js";
import { type IpAddress, ip } from "../ip/address.js";
import type { IpPacket } from "../ip/packet.js";
import { MTU, Protocol } from "../ip/protocol.js";
import { informationReply } from "./dhcp6.js";
import type { PacketSender } from "./packet-sender.js";
import type { Subnet } from "./subnet.js";

/** Message types (RFC 4861, 4). */
const enum Message {
  RouterSolicitation = 133,
  RouterAdvertisement = 134,
  NeighbourSolicitation = 135,
  NeighbourAdvertisement = 136,
}
/** Options (RFC 4861, 4.6; RFC 8106, 5.1). */
const enum Option {
  SourceAddress = 1,
  TargetAddress = 2,
  Prefix = 3,
  Mtu = 5,
  NameServers = 25,
}
const HOPS = 255;
const ROUTER_LIFETIME_S = 1800;
const ADVERTISE_EVERY = 600e9;
const VALID_S = 86_400;
const PREFERRED_S = 14_400;
const ROUTER_SOLICITED_OVERRIDE = 0xe0;
const ON_LINK_AUTONOMOUS = 0xc0;
/** Names and other settings come by DHCPv6, addresses do not. */
const OTHER_CONFIGURATION = 0x40;
const ALL_NODES = ip("ff02::1");
const ALL_NODES_MAC = Uint8Array.of(0x33, 0x33, 0, 0, 0, 1);
const DHCP_SERVER_PORT = 547;
const DHCP_CLIENT_PORT = 546;

/** The router and its neighbours over IPv6: addresses found, prefix and name server announced (RFC 4861). */
export class NeighbourDiscovery {
  private readonly timer: Timer;

  constructor(
    private readonly subnet: Subnet,
    private readonly sender: PacketSender,
    private readonly timers: Timers,
  ) {
    this.timer = timers.create(() => this.advertise(ALL_NODES, ALL_NODES_MAC));
  }

  isOwn(address: IpAddress): boolean {
    const { gateway6, dns6, router6 } = this.subnet;
    return equal(address, gateway6) || equal(address, dns6) || equal(address, router6);
  }

  /** A message from a guest; false if it is not about neighbours. */
  receive(frame: Uint8Array, { payload, source, hopLimit }: IpPacket): boolean {
    const type = payload[0];
    if (type === undefined || type < Message.RouterSolicitation || type > Message.NeighbourAdvertisement) return false;
    // From farther away it would have passed a router (RFC 4861, 6.1.1).
    if (hopLimit !== HOPS) return true;
    const mac = frame.slice(Ethernet.Source, Ethernet.Source + MAC_SIZE);
    const anonymous = source.every((byte) => byte === 0);
    if (type === Message.RouterSolicitation)
      this.advertise(anonymous ? ALL_NODES : source.slice(), anonymous ? ALL_NODES_MAC : mac);
    else if (type === Message.NeighbourSolicitation && payload.length >= 24) {
      const target = payload.slice(8, 24);
      if (!this.isOwn(target)) return true;
      if (anonymous) this.answer(target, ALL_NODES, ALL_NODES_MAC);
      else this.answer(target, source.slice(), mac);
    }
    return true;
  }

  /** Asks who has an address. */
  solicit(address: IpAddress): void {
    const message = new Uint8Array(32);
    message[0] = Message.NeighbourSolicitation;
    message.set(address, 8);
    this.putLinkAddress(message, 24, Option.SourceAddress);
    const group = ip("ff02::1:ff00:0");
    group.set(address.subarray(13), 13);
    const mac = Uint8Array.of(0x33, 0x33, ...group.subarray(12));
    this.send(group, mac, message);
  }

  /** A DHCPv6 message: who asks for settings without an address gets them (RFC 8415, 18.3.6). */
  dhcp(frame: Uint8Array, source: IpAddress, message: Uint8Array): void {
    const reply = informationReply(message, this.subnet);
    if (reply === null) return;
    const mac = frame.slice(Ethernet.Source, Ethernet.Source + MAC_SIZE);
    const from = { address: this.subnet.router6, port: DHCP_SERVER_PORT };
    this.sender.udp(from, { address: source.slice(), port: DHCP_CLIENT_PORT }, reply, mac);
  }

  close(): void {
    this.timer.cancel();
  }

  private answer(target: IpAddress, to: IpAddress, mac: Uint8Array): void {
    const message = new Uint8Array(32);
    message[0] = Message.NeighbourAdvertisement;
    message[4] = to === ALL_NODES ? ROUTER_SOLICITED_OVERRIDE & ~0x40 : ROUTER_SOLICITED_OVERRIDE;
    message.set(target, 8);
    this.putLinkAddress(message, 24, Option.TargetAddress);
    this.send(to, mac, message);
  }

  private advertise(to: IpAddress, mac: Uint8Array): void {
    const { v6, dns6 } = this.subnet;
    const message = new Uint8Array(16 + 8 + 8 + 32 + 24);
    message[0] = Message.RouterAdvertisement;
    message[4] = 64;
    message[5] = OTHER_CONFIGURATION;
    put16(message, 6, ROUTER_LIFETIME_S);
    this.putLinkAddress(message, 16, Option.SourceAddress);
    message.set([Option.Mtu, 1], 24);
    put32(message, 28, MTU);
    message.set([Option.Prefix, 4, v6.bits, ON_LINK_AUTONOMOUS], 32);
    put32(message, 36, VALID_S);
    put32(message, 40, PREFERRED_S);
    message.set(v6.address, 48);
    message.set([Option.NameServers, 3], 64);
    put32(message, 68, ROUTER_LIFETIME_S);
    message.set(dns6, 72);
    this.send(to, mac, message);
    // Nobody asks again while what was announced holds, so it is announced again before it ends.
    this.timer.set(this.timers.now() + ADVERTISE_EVERY);
  }

  private putLinkAddress(message: Uint8Array, at: number, option: Option): void {
    message.set([option, 1, ...this.subnet.mac], at);
  }

  private send(to: IpAddress, mac: Uint8Array, message: Uint8Array): void {
    this.sender.ip(Protocol.Icmp6, this.subnet.router6, to, message, { mac, hopLimit: HOPS });
  }
}
