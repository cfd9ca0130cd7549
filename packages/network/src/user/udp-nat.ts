// SPDX-License-Identifier: Apache-2.0
import type { Endpoint, HostNetwork, UdpSocket } from "@isola/ports";
import { formatIp, parseIp } from "../ip/address.js";
import type { Destinations } from "./destination.js";
import type { PacketSender, UdpEndpoint } from "./packet-sender.js";

const S = 1e9;
/** Silence after which a mapping ends (RFC 4787, REQ-5), and sooner when it only asked a name server. */
const IDLE = 120 * S;
const IDLE_DNS = 20 * S;
const DNS_PORT = 53;
const MAX_MAPPINGS = 512;
/** Others that one guest port may talk to at a time. */
const MAX_REMOTES = 256;

interface Mapping {
  readonly guest: UdpEndpoint;
  readonly socket: UdpSocket;
  /** Host endpoint as text to the address under which the guest knows it. Only these may answer. */
  readonly remotes: Map<string, UdpEndpoint>;
  used: number;
  dnsOnly: boolean;
}

function keyOf({ address, port }: Endpoint): string {
  return `${address} ${port}`;
}

/** The same endpoint with its address as this program writes addresses; hosts may write them otherwise. */
function usual({ address, port }: Endpoint): Endpoint {
  const bytes = parseIp(address);
  return { address: bytes === null ? address : formatIp(bytes), port };
}

/**
 * UDP from guests: each guest port has a socket of the host, by which it reaches anybody that may be reached, and which
 * lets in only those that it has sent to (address and port dependent filtering, RFC 4787, 5).
 */
export class UdpNat {
  opened = 0;
  private readonly mappings = new Map<string, Mapping>();

  constructor(
    private readonly host: HostNetwork,
    private readonly destinations: Destinations,
    private readonly sender: PacketSender,
    private readonly now: () => number,
    private readonly settled: () => void,
  ) {}

  get active(): number {
    return this.mappings.size;
  }

  /** A datagram from a guest. False if it may not go there. */
  send(from: UdpEndpoint, to: UdpEndpoint, data: Uint8Array): boolean {
    const target = this.destinations.find("udp", to.address, to.port);
    if (target === null) return false;
    const mapping = this.mappingOf(from);
    mapping.used = this.now();
    if (to.port !== DNS_PORT) mapping.dnsOnly = false;
    const key = keyOf(target);
    mapping.remotes.delete(key);
    mapping.remotes.set(key, { address: to.address.slice(), port: to.port });
    const oldest = mapping.remotes.keys().next();
    if (mapping.remotes.size > MAX_REMOTES && oldest.done !== true) mapping.remotes.delete(oldest.value);
    mapping.socket.send(data, target);
    return true;
  }

  tick(now: number): void {
    for (const [key, { used, dnsOnly, socket }] of this.mappings) {
      if (now - used < (dnsOnly ? IDLE_DNS : IDLE)) continue;
      socket.close();
      this.mappings.delete(key);
    }
  }

  close(): void {
    for (const { socket } of this.mappings.values()) socket.close();
    this.mappings.clear();
  }

  private mappingOf(from: UdpEndpoint): Mapping {
    const family = from.address.length === 4 ? 4 : 6;
    const key = keyOf({ address: formatIp(from.address), port: from.port });
    const known = this.mappings.get(key);
    if (known !== undefined) {
      // The most recently used stand last.
      this.mappings.delete(key);
      this.mappings.set(key, known);
      return known;
    }
    const guest = { address: from.address.slice(), port: from.port };
    const mapping: Mapping = {
      guest,
      remotes: new Map(),
      used: this.now(),
      dnsOnly: true,
      socket: this.host.openUdp(family, {
        datagram: (bytes, remote) => this.answered(mapping, bytes, remote),
        failed: () => this.forget(key, mapping),
      }),
    };
    this.opened++;
    this.mappings.set(key, mapping);
    if (this.mappings.size > MAX_MAPPINGS) {
      const [oldest] = this.mappings;
      if (oldest !== undefined) {
        oldest[1].socket.close();
        this.mappings.delete(oldest[0]);
      }
    }
    return mapping;
  }

  private forget(key: string, mapping: Mapping): void {
    if (this.mappings.get(key) === mapping) this.mappings.delete(key);
  }

  private answered(mapping: Mapping, bytes: Uint8Array, remote: Endpoint): void {
    const known = mapping.remotes.get(keyOf(remote)) ?? mapping.remotes.get(keyOf(usual(remote)));
    if (known === undefined) return;
    mapping.used = this.now();
    this.sender.udp(known, mapping.guest, bytes);
    this.settled();
  }
}
