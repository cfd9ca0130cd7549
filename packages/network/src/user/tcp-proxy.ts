// SPDX-License-Identifier: Apache-2.0
import type { Entropy, HostNetwork, SocketFailure, TcpConnection, TcpEvents } from "@isola/ports";
import { equal, get32 } from "../frame/bytes.js";
import type { OutgoingSegment } from "../tcp/tcp-endpoint.js";
import { TcpFlag, type TcpSegment } from "../tcp/segment.js";
import type { Destinations } from "./destination.js";
import type { UdpEndpoint } from "./packet-sender.js";
import { TcpFlow, type TcpFlowOwner } from "./tcp-flow.js";
import type { TcpOutput } from "./tcp-output.js";

const MAX_FLOWS = 2048;
/** Flows whose host has not answered: a guest that knocks everywhere gets no more than that. */
const MAX_CONNECTING = 256;
/** Bytes that all flows may hold before each one's share becomes small. */
const MEMORY_LIMIT = 64 << 20;
/** How often that is added up, in ns. */
const MEASURE_EVERY = 50e6;
/** Ports of the gateway from which it connects to guests. */
const FIRST_CALL_PORT = 32_768;
const CALL_PORTS = 28_000;

export interface TcpCounts {
  opened: number;
  accepted: number;
  /** The host could not connect. */
  failed: number;
  /** No room for another connection. */
  overflowed: number;
  bytesOut: number;
  bytesIn: number;
}

/** TCP of guests: each of their connections ends here and is made anew by the host. */
export class TcpProxy implements TcpFlowOwner {
  readonly counts: TcpCounts = { opened: 0, accepted: 0, failed: 0, overflowed: 0, bytesOut: 0, bytesIn: 0 };
  /** Flows by both ports; those of one bucket differ by their addresses. */
  private readonly flows = new Map<number, TcpFlow[]>();
  private count = 0;
  private connectingCount = 0;
  private readonly pending = new Set<TcpFlow>();
  /** Flows that put off an acknowledgement. */
  private late = new Set<TcpFlow>();
  private heldBytes = 0;
  private measuredAt = 0;
  private nextCallPort = 0;
  private readonly random = new Uint8Array(4);

  constructor(
    private readonly ports: {
      readonly host: HostNetwork;
      readonly destinations: Destinations;
      readonly output: TcpOutput;
      readonly entropy: Entropy;
      now(): number;
      /** A connection could not be made, because there is no way to its host. */
      unreachable(flow: TcpFlow, syn: TcpSegment): void;
      /** There are flows: timers must run. */
      busy(): void;
      /** Calls back a moment later, when the machine that runs now has had its turn. */
      soon(task: () => void): void;
      /** Something was sent outside of `receive`. */
      settled(): void;
    },
  ) {}

  get active(): number {
    return this.count;
  }

  get tight(): boolean {
    return this.heldBytes > MEMORY_LIMIT;
  }

  /** A segment from a guest, from `guest` to `remote`. */
  receive(guest: UdpEndpoint, remote: UdpEndpoint, segment: TcpSegment): void {
    const flow = this.find(guest, remote);
    if (flow !== null) return flow.segmentArrived(segment);
    const kind = segment.flags & (TcpFlag.Syn | TcpFlag.Ack | TcpFlag.Rst | TcpFlag.Fin);
    if (kind === TcpFlag.Syn) this.open(guest, remote, segment);
    else this.ports.output.refuse(remote, guest, segment);
  }

  /** Connects `connection`, which came to the host, to a port of a guest; the guest sees it come from `from`. */
  call(connection: TcpConnection, guest: UdpEndpoint, from: UdpEndpoint["address"]): TcpEvents {
    const port = this.callPort(guest, from);
    const remote = { address: from, port };
    const flow = new TcpFlow(this, guest, remote, this.ports.output.maxSegment(from.length === 4 ? 4 : 6), null);
    if (this.count >= MAX_FLOWS || port === 0) {
      this.counts.overflowed++;
      connection.abort();
      return flow.events;
    }
    this.counts.accepted++;
    this.add(flow);
    flow.call(connection);
    this.ports.busy();
    return flow.events;
  }

  /** Sends what the frames since the last call have brought about. */
  flush(): void {
    for (const flow of this.pending) flow.output();
    this.pending.clear();
  }

  /** The cable has room again. */
  ready(): void {
    for (const bucket of this.flows.values()) for (const flow of bucket) flow.output();
  }

  tick(now: number): void {
    for (const bucket of [...this.flows.values()]) for (const flow of [...bucket]) flow.tick(now);
    this.measure(now);
  }

  /** Ends everything. */
  close(): void {
    for (const bucket of [...this.flows.values()]) for (const flow of [...bucket]) flow.abort();
  }

  now(): number {
    return this.ports.now();
  }

  send(flow: TcpFlow, segment: OutgoingSegment): boolean {
    return this.ports.output.send(flow.remote, flow.guest, segment);
  }

  largest(flow: TcpFlow, packet: number): number {
    return this.ports.output.largest(flow.guest.address.length === 4 ? 4 : 6, packet);
  }

  initialSequence(): number {
    this.ports.entropy.fill(this.random);
    return get32(this.random, 0);
  }

  touched(flow: TcpFlow): void {
    this.pending.add(flow);
    this.ports.busy();
  }

  soon(flow: TcpFlow): void {
    if (this.late.size === 0) this.ports.soon(() => this.acknowledge());
    this.late.add(flow);
  }

  settled(): void {
    this.ports.busy();
    this.ports.settled();
  }

  moved(bytesOut: number, bytesIn: number): void {
    this.counts.bytesOut += bytesOut;
    this.counts.bytesIn += bytesIn;
  }

  failed(flow: TcpFlow, failure: SocketFailure): void {
    this.counts.failed++;
    if (flow.syn === null) return;
    if (failure === "unreachable") this.ports.unreachable(flow, flow.syn);
    else this.ports.output.refuse(flow.remote, flow.guest, flow.syn);
  }

  gone(flow: TcpFlow): void {
    const key = keyOf(flow.guest, flow.remote);
    const bucket = this.flows.get(key);
    const at = bucket?.indexOf(flow) ?? -1;
    if (bucket === undefined || at < 0) return;
    bucket.splice(at, 1);
    if (bucket.length === 0) this.flows.delete(key);
    this.count--;
    this.pending.delete(flow);
    this.late.delete(flow);
  }

  private acknowledge(): void {
    const { late } = this;
    this.late = new Set();
    for (const flow of late) flow.acknowledge();
    this.ports.settled();
  }

  private find(guest: UdpEndpoint, remote: UdpEndpoint): TcpFlow | null {
    for (const flow of this.flows.get(keyOf(guest, remote)) ?? [])
      if (equal(flow.guest.address, guest.address) && equal(flow.remote.address, remote.address)) return flow;
    return null;
  }

  private add(flow: TcpFlow): void {
    const key = keyOf(flow.guest, flow.remote);
    const bucket = this.flows.get(key);
    if (bucket === undefined) this.flows.set(key, [flow]);
    else bucket.push(flow);
    this.count++;
  }

  private open(guest: UdpEndpoint, remote: UdpEndpoint, syn: TcpSegment): void {
    const { destinations, output, host } = this.ports;
    const target = destinations.find("tcp", remote.address, remote.port);
    if (target === null) return output.refuse(remote, guest, syn);
    if (this.count >= MAX_FLOWS || this.connecting() >= MAX_CONNECTING) {
      // No answer: the guest tries again, and there may be room then.
      this.counts.overflowed++;
      return;
    }
    this.counts.opened++;
    const own = { address: guest.address.slice(), port: guest.port };
    const there = { address: remote.address.slice(), port: remote.port };
    const version = own.address.length === 4 ? 4 : 6;
    const flow = new TcpFlow(this, own, there, output.maxSegment(version), { ...syn, payload: new Uint8Array(0) });
    this.add(flow);
    flow.join(host.connect(target, flow.events));
  }

  /** Flows that wait for the host; counted anew only while there may be too many. */
  private connecting(): number {
    if (this.connectingCount++ < MAX_CONNECTING) return 0;
    this.connectingCount = 0;
    for (const bucket of this.flows.values()) for (const flow of bucket) if (flow.connecting) this.connectingCount++;
    return this.connectingCount;
  }

  private callPort(guest: UdpEndpoint, from: UdpEndpoint["address"]): number {
    for (let i = 0; i < CALL_PORTS; i++) {
      const port = FIRST_CALL_PORT + (this.nextCallPort++ % CALL_PORTS);
      if (this.find(guest, { address: from, port }) === null) return port;
    }
    return 0;
  }

  private measure(now: number): void {
    if (now - this.measuredAt < MEASURE_EVERY) return;
    this.measuredAt = now;
    this.heldBytes = 0;
    for (const bucket of this.flows.values()) {
      for (const flow of bucket) {
        this.heldBytes += flow.held;
        flow.releaseMemory();
      }
    }
  }
}

function keyOf(guest: UdpEndpoint, remote: UdpEndpoint): number {
  return guest.port * 0x1_0000 + remote.port;
}
