// SPDX-License-Identifier: Apache-2.0
import type { SocketFailure, TcpConnection, TcpEvents } from "@isola/ports";
import type { TcpSegment } from "../tcp/segment.js";
import { type OutgoingSegment, TcpEndpoint, type TcpEndpointPorts } from "../tcp/tcp-endpoint.js";
import type { UdpEndpoint } from "./packet-sender.js";

/** Bytes from the host that a guest has not acknowledged, and bytes from a guest that the system has not taken. */
const SEND_LIMIT = 1 << 20;
const RECEIVE_LIMIT = 1 << 20;
/** The same while all flows together hold too much. */
const TIGHT_LIMIT = 1 << 14;

/** What a flow needs of the proxy that it belongs to. */
export interface TcpFlowOwner {
  now(): number;
  /** Whether flows hold more than the network may. */
  readonly tight: boolean;
  send(flow: TcpFlow, segment: OutgoingSegment): boolean;
  largest(flow: TcpFlow, packet: number): number;
  initialSequence(): number;
  /** `acknowledge` is to be called when the machine has had its turn. */
  soon(flow: TcpFlow): void;
  /** It may have something to send when the frames at hand have been looked at. */
  touched(flow: TcpFlow): void;
  /** Something came from the host, and what follows from it has been sent. */
  settled(): void;
  /** The host could not be reached. */
  failed(flow: TcpFlow, failure: SocketFailure): void;
  moved(bytesOut: number, bytesIn: number): void;
  gone(flow: TcpFlow): void;
}

/** A connection of a guest joined to one of the host: what comes on one side goes out on the other. */
export class TcpFlow implements TcpEndpointPorts {
  /** Where the host's connection tells what happens. */
  readonly events: TcpEvents = {
    connected: () => this.connected(),
    data: (bytes) => this.received(bytes),
    ended: () => this.hostEnded(),
    drained: () => this.drained(),
    closed: (failure) => this.hostClosed(failure),
  };
  private endpoint: TcpEndpoint | null = null;
  private connection: TcpConnection | null = null;
  private paused = false;
  private over = false;

  /**
   * @param guest the guest's end
   * @param remote the other end as the guest knows it
   */
  constructor(
    private readonly owner: TcpFlowOwner,
    readonly guest: UdpEndpoint,
    readonly remote: UdpEndpoint,
    private readonly maxSegment: number,
    /** The guest's SYN, whose answer waits for the host's connection; null if the host was asked first. */
    readonly syn: TcpSegment | null,
  ) {}

  /** Bytes of memory that it takes. */
  get held(): number {
    return (this.endpoint?.memory ?? 0) + (this.connection?.unsent ?? 0);
  }

  /** Gives memory back that has not been needed since the last call. */
  releaseMemory(): void {
    this.endpoint?.releaseMemory();
  }

  get deadline(): number {
    return this.endpoint?.deadline ?? Number.POSITIVE_INFINITY;
  }

  /** Whether the guest waits for the host. */
  get connecting(): boolean {
    return this.endpoint === null;
  }

  /** The guest asked: `connection` was opened for it. */
  join(connection: TcpConnection): void {
    this.connection = connection;
  }

  /** Somebody connected to the host: the guest is asked. */
  call(connection: TcpConnection): void {
    this.connection = connection;
    this.paused = true;
    this.endpoint = TcpEndpoint.connect(this, this.owner.initialSequence(), this.maxSegment);
  }

  segmentArrived(segment: TcpSegment): void {
    this.endpoint?.receive(segment);
    this.owner.touched(this);
  }

  output(): void {
    this.endpoint?.output();
  }

  tick(now: number): void {
    if (this.deadline <= now) this.endpoint?.tick(now);
  }

  /** Ends both sides at once. */
  abort(): void {
    this.endpoint?.abort();
    this.leave();
  }

  now(): number {
    return this.owner.now();
  }

  send(segment: OutgoingSegment): boolean {
    return this.owner.send(this, segment);
  }

  largest(packet: number): number {
    return this.owner.largest(this, packet);
  }

  acknowledgeSoon(): void {
    this.owner.soon(this);
  }

  /** Sends an acknowledgement that was put off. */
  acknowledge(): void {
    this.endpoint?.acknowledgeNow();
  }

  room(): number {
    return this.limit(RECEIVE_LIMIT) - (this.connection?.unsent ?? 0);
  }

  established(): void {
    this.unpause();
  }

  data(bytes: Uint8Array): void {
    this.owner.moved(bytes.length, 0);
    this.connection?.write(bytes.slice());
  }

  ended(): void {
    this.connection?.end();
  }

  acknowledged(): void {
    if (this.paused && (this.endpoint?.queued ?? 0) < this.limit(SEND_LIMIT) / 2) this.unpause();
  }

  closed(reason: "reset" | "timeout" | null): void {
    // In order: the host's connection has been ended, and closes by itself when it has sent everything.
    if (reason === null) this.connection = null;
    this.leave();
  }

  private connected(): void {
    if (this.over || this.endpoint !== null || this.syn === null) return;
    this.endpoint = TcpEndpoint.accept(this, this.syn, this.owner.initialSequence(), this.maxSegment);
    this.owner.settled();
  }

  private received(bytes: Uint8Array): void {
    const { endpoint } = this;
    if (this.over || endpoint === null) return;
    endpoint.write(bytes);
    this.owner.moved(0, bytes.length);
    if (endpoint.queued >= this.limit(SEND_LIMIT)) this.pause();
    this.owner.settled();
  }

  private drained(): void {
    if (this.over) return;
    this.endpoint?.roomGrew();
    this.owner.settled();
  }

  private hostEnded(): void {
    this.endpoint?.end();
    this.owner.settled();
  }

  private hostClosed(failure: SocketFailure | null): void {
    if (this.over) return;
    this.connection = null;
    if (failure === null) return this.hostEnded();
    if (this.endpoint === null) this.owner.failed(this, failure);
    this.abort();
    this.owner.settled();
  }

  private limit(usual: number): number {
    return this.owner.tight ? TIGHT_LIMIT : usual;
  }

  private pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.connection?.pause();
  }

  private unpause(): void {
    if (!this.paused) return;
    this.paused = false;
    this.connection?.resume();
  }

  private leave(): void {
    if (this.over) return;
    this.over = true;
    this.connection?.abort();
    this.connection = null;
    this.owner.gone(this);
  }
}
