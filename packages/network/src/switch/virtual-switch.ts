// SPDX-License-Identifier: Apache-2.0
import type { NetFrame, NetLink, NetOffload, NetPort } from "@isola/ports";
import { Ethernet, ETHERNET_HEADER } from "../frame/ethernet.js";
import { adapted } from "../frame/offload.js";
import { type PortVlans, tagged, untagged, type VlanFrame } from "./vlan.js";

/** Time in ns after which an address that is silent is forgotten (IEEE 802.1D, 7.9.2). */
const AGE = 300e9;
/** Addresses learned by one port: a machine that invents addresses makes only its own forgotten. */
const MAX_ADDRESSES = 128;
/** Bytes that wait for one port; what comes beyond them is lost, so that a slow machine does not hold up others. */
const MAX_QUEUED = 4 << 20;
const EVERYTHING: NetOffload = { checksum: true, tcp4: true, tcp6: true };
const NOTHING: NetOffload = { checksum: false, tcp4: false, tcp6: false };

/** Memory that a waiting frame takes: short ones are mostly what surrounds them. */
function costOf({ bytes }: NetFrame): number {
  return 256 + bytes.length;
}

/** Untagged frames of network 1. */
export const DEFAULT_VLANS: PortVlans = { kind: "access", vlan: 1 };

/** An address within a network, as a key of the table. */
function keyOf(vlan: number, bytes: Uint8Array, at: number): string {
  return String.fromCharCode(
    vlan,
    (bytes[at] << 8) | bytes[at + 1],
    (bytes[at + 2] << 8) | bytes[at + 3],
    (bytes[at + 4] << 8) | bytes[at + 5],
  );
}

/** A socket of a switch, into which the cable of a machine or of another network is plugged. */
export class SwitchPort implements NetLink {
  readonly offload = EVERYTHING;
  /** Frames lost because this port's machine did not take them. */
  dropped = 0;
  /** Addresses behind this port, with the time they were last heard. The oldest stands first. */
  readonly addresses = new Map<string, number>();
  private peer: NetPort | null = null;
  private queue: NetFrame[] = [];
  private queued = 0;
  private wantsFlush = false;

  constructor(
    private readonly owner: VirtualSwitch,
    readonly vlans: PortVlans,
  ) {}

  connect(peer: NetPort): void {
    this.peer = peer;
  }

  /** A frame from the machine. */
  receive(frame: NetFrame): boolean {
    if (frame.bytes.length >= ETHERNET_HEADER) this.owner.forward(this, frame);
    return true;
  }

  flush(): void {
    this.owner.flush();
  }

  /** The machine may have room again. */
  ready(): void {
    for (let first = this.queue[0]; first !== undefined; first = this.queue[0]) {
      if (this.peer?.receive(first) === false) break;
      this.queue.shift();
      this.queued -= costOf(first);
    }
    this.peer?.flush();
  }

  /** Sends a frame to the machine. */
  deliver(frame: NetFrame): void {
    const { peer } = this;
    if (peer === null) return;
    this.wantsFlush = true;
    // A tag hides from a card what it would have to cut.
    const accepts = this.vlans.kind === "trunk" ? NOTHING : peer.offload;
    for (const one of adapted(frame, accepts)) {
      if (this.queue.length === 0 && peer.receive(one)) continue;
      if (this.queued + costOf(one) > MAX_QUEUED) {
        this.dropped++;
        continue;
      }
      this.queue.push({ ...one, bytes: one.bytes.slice() });
      this.queued += costOf(one);
    }
  }

  settle(): void {
    if (!this.wantsFlush) return;
    this.wantsFlush = false;
    this.peer?.flush();
  }
}

/** A switch that learns which address is behind which port. Ports of different networks do not hear each other. */
export class VirtualSwitch {
  private readonly ports: SwitchPort[] = [];
  private readonly table = new Map<string, SwitchPort>();

  /** @param now monotonic time in ns */
  constructor(private readonly now: () => number) {}

  /** Adds a port, into which one cable goes. */
  addPort(vlans: PortVlans = DEFAULT_VLANS): SwitchPort {
    const port = new SwitchPort(this, vlans);
    this.ports.push(port);
    return port;
  }

  /** Takes a port away; what was behind it is forgotten. */
  removePort(port: SwitchPort): void {
    const at = this.ports.indexOf(port);
    if (at >= 0) this.ports.splice(at, 1);
    for (const key of port.addresses.keys()) if (this.table.get(key) === port) this.table.delete(key);
    port.addresses.clear();
  }

  /** A frame has come in by `from`. */
  forward(from: SwitchPort, frame: NetFrame): void {
    const inside = untagged(from.vlans, frame);
    if (inside === null) return;
    const { bytes } = inside.frame;
    if ((bytes[Ethernet.Source] & 1) === 0) this.learn(from, keyOf(inside.vlan, bytes, Ethernet.Source));
    const group = (bytes[Ethernet.Destination] & 1) !== 0;
    const known = group ? null : this.find(keyOf(inside.vlan, bytes, Ethernet.Destination));
    if (known !== null) {
      if (known !== from) this.send(known, inside);
      return;
    }
    for (const port of this.ports) if (port !== from) this.send(port, inside);
  }

  /** Whoever got frames since the last call is told that there are no more for now. */
  flush(): void {
    for (const port of this.ports) port.settle();
  }

  private send(port: SwitchPort, inside: VlanFrame): void {
    const frame = tagged(port.vlans, inside);
    if (frame !== null) port.deliver(frame);
  }

  private learn(port: SwitchPort, key: string): void {
    const before = this.table.get(key);
    if (before !== port) {
      before?.addresses.delete(key);
      this.table.set(key, port);
    }
    port.addresses.delete(key);
    port.addresses.set(key, this.now());
    if (port.addresses.size <= MAX_ADDRESSES) return;
    const oldest = port.addresses.keys().next();
    if (oldest.done === true) return;
    port.addresses.delete(oldest.value);
    this.table.delete(oldest.value);
  }

  private find(key: string): SwitchPort | null {
    const port = this.table.get(key);
    const heard = port?.addresses.get(key);
    if (port === undefined || heard === undefined) return null;
    if (this.now() - heard <= AGE) return port;
    port.addresses.delete(key);
    this.table.delete(key);
    return null;
  }
}
