// SPDX-License-Identifier: Apache-2.0
import type { Entropy, HostNetwork, NetFrame, NetLink, NetOffload, NetPort, Timer, Timers } from "@isola/ports";
import { equal, get16, matches } from "../frame/bytes.js";
import { checksum, pseudoHeaderSum, sum } from "../frame/checksum.js";
import { Ethernet, ETHERNET_HEADER, EtherType, MAC_SIZE } from "../frame/ethernet.js";
import { contains, type IpAddress, ip } from "../ip/address.js";
import { type IpPacket, parseIpv4, parseIpv6 } from "../ip/packet.js";
import { Protocol, UDP_HEADER } from "../ip/protocol.js";
import { parseSegment } from "../tcp/segment.js";
import { arpReply, arpRequest, parseArp } from "./arp.js";
import { Destinations } from "./destination.js";
import { DhcpServer } from "./dhcp.js";
import { DnsForwarder } from "./dns-forwarder.js";
import type { EgressPolicy } from "./egress-policy.js";
import { Icmp } from "./icmp.js";
import { NeighbourDiscovery } from "./neighbour-discovery.js";
import { Neighbours } from "./neighbours.js";
import { PacketSender, type UdpEndpoint } from "./packet-sender.js";
import { type PublishedPort, Publisher } from "./publisher.js";
import { Reassembler } from "./reassembler.js";
import { DEFAULT_SUBNET, type Subnet } from "./subnet.js";
import { TcpOutput } from "./tcp-output.js";
import { TcpProxy } from "./tcp-proxy.js";
import { UdpNat } from "./udp-nat.js";
import type { UserNetworkCounters } from "./user-network-counters.js";
import { Wire } from "./wire.js";

export interface UserNetworkOptions {
  readonly host: HostNetwork;
  /** Real time: what is outside does not stop when a machine does. */
  readonly timers: Timers;
  readonly entropy: Entropy;
  readonly policy: EgressPolicy;
  /** Calls a task once, after some turns of the thread: acknowledgements wait for it, or go out with data before. */
  readonly soon: (task: () => void) => void;
  /** Whether guests reach the host's loopback interface at the gateway's address. */
  readonly hostLoopback: boolean;
  readonly subnet?: Subnet;
}

const DNS_PORT = 53;
const DHCP_SERVER_PORT = 67;
const DHCP_CLIENT_PORT = 68;
const DHCP6_SERVER_PORT = 547;
/** Pause between looks at timers of connections, in ns, while there are any. */
const TICK = 50e6;
const LIMITED_BROADCAST = ip("255.255.255.255");

/**
 * A network for guests that needs no privileges of the host: it ends their connections itself and makes them anew with
 * the host's sockets. It is a router, a DHCP server and a name server on the guests' side.
 */
export class UserNetwork implements NetLink {
  /** It takes everything. */
  readonly offload: NetOffload = { checksum: true, tcp4: true, tcp6: true };
  private readonly subnet: Subnet;
  private readonly wire = new Wire();
  private readonly neighbours = new Neighbours();
  private readonly sender: PacketSender;
  private readonly dhcp: DhcpServer;
  private readonly dns: DnsForwarder;
  private readonly destinations: Destinations;
  private readonly tcp: TcpProxy;
  private readonly udp: UdpNat;
  private readonly icmp: Icmp;
  private readonly discovery: NeighbourDiscovery;
  private readonly publisher: Publisher;
  private readonly reassembler = new Reassembler();
  private readonly timer: Timer;
  private ticking = false;
  private malformed = 0;

  constructor(private readonly options: UserNetworkOptions) {
    const { host, timers, policy, entropy, hostLoopback } = options;
    const subnet = options.subnet ?? DEFAULT_SUBNET;
    this.subnet = subnet;
    const now = () => timers.now();
    const ask = (address: IpAddress) => this.ask(address);
    this.sender = new PacketSender(this.wire, this.neighbours, subnet.mac, ask);
    this.dhcp = new DhcpServer(subnet);
    this.dns = new DnsForwarder(host, policy, now);
    this.destinations = new Destinations(subnet, policy, hostLoopback);
    this.icmp = new Icmp(subnet, this.sender);
    this.discovery = new NeighbourDiscovery(subnet, this.sender, timers);
    this.udp = new UdpNat(host, this.destinations, this.sender, now, () => this.wire.flush());
    this.tcp = new TcpProxy({
      host,
      destinations: this.destinations,
      output: new TcpOutput(this.wire, this.neighbours, this.sender, ask),
      entropy,
      now,
      unreachable: ({ guest, remote }, syn) => this.icmp.tcpUnreachable(guest, remote, syn),
      busy: () => this.startTicking(),
      soon: options.soon,
      settled: () => this.flush(),
    });
    this.publisher = new Publisher(host, {
      guest: () => this.dhcp.firstGuest,
      gateway: subnet.gateway,
      call: (connection, guest) => this.tcp.call(connection, guest, subnet.gateway),
      sender: this.sender,
      now,
      settled: () => {
        this.startTicking();
        this.wire.flush();
      },
    });
    this.timer = timers.create(() => this.tick());
  }

  connect(machine: NetPort): void {
    this.wire.connect(machine);
  }

  /** Opens ports of the host that lead to a guest. Rejects with an OperatorError if the host does not allow it. */
  async publish(ports: readonly PublishedPort[]): Promise<void> {
    for (const port of ports) await this.publisher.open(port);
  }

  /** Whatever a guest sends is taken; what makes no sense is dropped. */
  receive(frame: NetFrame): boolean {
    const { bytes } = frame;
    if (bytes.length < ETHERNET_HEADER) return true;
    const group = (bytes[Ethernet.Destination] & 1) !== 0;
    if (!group && !matches(bytes, Ethernet.Destination, this.subnet.mac)) return true;
    switch (get16(bytes, Ethernet.Type)) {
      case EtherType.Arp:
        this.arp(bytes);
        break;
      case EtherType.Ipv4:
        this.ipPacket(frame, parseIpv4(bytes));
        break;
      case EtherType.Ipv6:
        this.ipPacket(frame, parseIpv6(bytes));
        break;
      default:
        break;
    }
    return true;
  }

  flush(): void {
    this.tcp.flush();
    this.wire.flush();
  }

  ready(): void {
    if (this.wire.ready()) this.tcp.ready();
    this.flush();
  }

  counters(): UserNetworkCounters {
    const { tcp, udp, dns, destinations, wire } = this;
    return {
      ...tcp.counts,
      active: tcp.active + udp.active,
      mappings: udp.opened,
      queries: dns.queries,
      queriesRefused: dns.refused,
      denied: destinations.denied,
      dropped: wire.dropped,
      malformed: this.malformed,
    };
  }

  /** Ends all connections and gives all ports back. */
  close(): void {
    this.timer.cancel();
    this.discovery.close();
    this.publisher.close();
    this.tcp.close();
    this.udp.close();
    this.dns.close();
  }

  private arp(bytes: Uint8Array): void {
    const packet = parseArp(bytes);
    if (packet === null) return;
    const { subnet } = this;
    if (this.isGuest(packet.senderIp)) this.neighbours.learn(packet.senderIp, packet.senderMac);
    const own = equal(packet.targetIp, subnet.gateway) || equal(packet.targetIp, subnet.dns);
    if (packet.request && own) this.wire.post(arpReply(subnet.mac, packet.targetIp, packet));
  }

  private ask(address: IpAddress): void {
    const { subnet } = this;
    if (address.length === 16) this.discovery.solicit(address);
    else if (contains(subnet.v4, address)) this.wire.post(arpRequest(subnet.mac, subnet.gateway, address));
  }

  /** Addresses that guests may have: those of the network that are not its own. */
  private isGuest(address: IpAddress): boolean {
    const { subnet } = this;
    if (address.length === 16)
      return (contains(subnet.v6, address) || isLinkLocal(address)) && !this.discovery.isOwn(address);
    const own = [subnet.gateway, subnet.dns, subnet.broadcast].some((one) => equal(one, address));
    return contains(subnet.v4, address) && !own;
  }

  private ipPacket(frame: NetFrame, parsed: IpPacket | null): void {
    const packet = parsed === null ? null : this.reassembler.add(parsed, this.options.timers.now());
    if (parsed === null) this.malformed++;
    if (packet === null) return;
    if (!this.isIntact(frame, packet, parsed !== packet)) {
      this.malformed++;
      return;
    }
    const guest = this.isGuest(packet.source);
    if (guest) {
      const mac = frame.bytes.subarray(Ethernet.Source, Ethernet.Source + MAC_SIZE);
      if ((mac[0] & 1) === 0) this.neighbours.learn(packet.source, mac);
    }
    if (packet.protocol === Protocol.Udp) return this.datagram(frame, packet, guest);
    if (packet.protocol === Protocol.Icmp6 && packet.version === 6 && this.discovery.receive(frame.bytes, packet))
      return;
    if (!guest || packet.destination[0] >= (packet.version === 4 ? 224 : 255)) return;
    if (packet.protocol === Protocol.Tcp) this.segment(packet);
    else if (packet.protocol === (packet.version === 4 ? Protocol.Icmp : Protocol.Icmp6)) this.icmp.receive(packet);
  }

  /** Whether the transport checksum is right, as far as the sender has computed it. */
  private isIntact(
    frame: NetFrame,
    { payload, protocol, source, destination, version, start }: IpPacket,
    joined: boolean,
  ) {
    if (frame.checksumStart >= 0) return !joined && frame.checksumStart >= start;
    const plain = protocol === Protocol.Icmp && version === 4;
    const known = plain || protocol === Protocol.Tcp || protocol === Protocol.Udp || protocol === Protocol.Icmp6;
    if (!known) return true;
    // A datagram of IPv4 may go without (RFC 768).
    if (protocol === Protocol.Udp && version === 4 && payload.length >= UDP_HEADER && get16(payload, 6) === 0)
      return true;
    const pseudo = plain ? 0 : pseudoHeaderSum(source, destination, protocol, payload.length);
    return checksum(sum(payload, 0, payload.length, pseudo)) === 0;
  }

  private segment(packet: IpPacket): void {
    const segment = parseSegment(packet.payload);
    if (segment === null) {
      this.malformed++;
      return;
    }
    const guest = { address: packet.source, port: segment.sourcePort };
    this.tcp.receive(guest, { address: packet.destination, port: segment.destinationPort }, segment);
  }

  private datagram(frame: NetFrame, packet: IpPacket, guest: boolean): void {
    const { payload, source, destination, version } = packet;
    if (payload.length < UDP_HEADER) return;
    const length = get16(payload, 4);
    if (length < UDP_HEADER || length > payload.length) return;
    const data = payload.subarray(UDP_HEADER, length);
    const from = { address: source, port: get16(payload, 0) };
    const to = { address: destination, port: get16(payload, 2) };
    if (version === 4 && to.port === DHCP_SERVER_PORT) return this.dhcpMessage(data);
    if (version === 6 && to.port === DHCP6_SERVER_PORT) return this.discovery.dhcp(frame.bytes, from.address, data);
    if (!guest || destination[0] >= (version === 4 ? 224 : 255) || equal(destination, this.subnet.broadcast)) return;
    const isDns = equal(destination, this.subnet.dns) || equal(destination, this.subnet.dns6);
    if (isDns && to.port === DNS_PORT) return this.query(from, to, data);
    if (this.publisher.reply(from, to, data)) return;
    if (this.udp.send(from, to, data)) this.startTicking();
    else this.icmp.unreachable(packet, isDns || equal(destination, this.subnet.gateway) ? "port" : "prohibited");
  }

  private query(from: UdpEndpoint, to: UdpEndpoint, data: Uint8Array): void {
    const guest = { address: from.address.slice(), port: from.port };
    const own = { address: to.address.slice(), port: to.port };
    this.startTicking();
    this.dns.query(data, (answer) => {
      this.sender.udp(own, guest, answer);
      this.wire.flush();
    });
  }

  private dhcpMessage(message: Uint8Array): void {
    const reply = this.dhcp.answer(message);
    if (reply === null) return;
    const server = { address: this.subnet.gateway, port: DHCP_SERVER_PORT };
    const client = { address: reply.to ?? LIMITED_BROADCAST, port: DHCP_CLIENT_PORT };
    const mac = reply.to === null ? new Uint8Array(MAC_SIZE).fill(0xff) : reply.mac;
    this.sender.udp(server, client, reply.message, mac);
  }

  private startTicking(): void {
    if (this.ticking) return;
    this.ticking = true;
    this.timer.set(this.options.timers.now() + TICK);
  }

  private tick(): void {
    const now = this.options.timers.now();
    this.ticking = false;
    this.tcp.tick(now);
    this.udp.tick(now);
    this.dns.tick(now);
    this.publisher.tick(now);
    this.flush();
    if (this.tcp.active > 0 || this.udp.active > 0 || this.dns.busy || this.publisher.busy) this.startTicking();
  }
}

function isLinkLocal(address: IpAddress): boolean {
  return address[0] === 0xfe && (address[1] & 0xc0) === 0x80;
}
