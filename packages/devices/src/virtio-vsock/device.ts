// SPDX-License-Identifier: Apache-2.0
import type { AccessSize } from "@isola/memory";
import type { VsockDialer, VsockEvents, VsockListener, VsockStream } from "@isola/ports";
import { partOf } from "../access-width.js";
import type { Pausable } from "../device.js";
import type { Chain } from "../virtio/chain.js";
import type { VirtioFunction, VirtioHost } from "../virtio/function.js";
import { type Packet, readPacket, writePacket } from "./packet.js";
import {
  EVENT_SIZE,
  EVENT_TRANSPORT_RESET,
  FIRST_HOST_PORT,
  Header,
  HOST_CID,
  LAST_HOST_PORT,
  MAX_RESETS,
  MAX_STREAMS,
  Op,
  Queue,
  QUEUE_SIZES,
  RECEIVE_BUFFER,
  SocketType,
  VSOCK_CLASS,
  VSOCK_TYPE,
} from "./registers.js";
import { type VirtioVsockState, virtioVsockResetState } from "./state.js";
import { Stream, type StreamOwner } from "./stream.js";

export interface VirtioVsockOptions {
  /** The guest's address, from 3 to 2^32 - 2. */
  readonly cid: number;
  readonly listener: VsockListener;
}

type Reset = Pick<Packet, "sourcePort" | "destinationPort" | "type">;

const NOTHING = new Uint8Array();
const keyOf = (hostPort: number, guestPort: number) => hostPort * 2 ** 32 + guestPort;

/** A virtio socket device: streams between programs of the guest and the host. */
export class VirtioVsock implements VirtioFunction<VirtioVsockState>, VsockDialer, StreamOwner, Pausable {
  readonly type = VSOCK_TYPE;
  readonly classCode = VSOCK_CLASS;
  /** With none, there are stream sockets only (5.10.3). */
  readonly features: readonly number[] = [];
  readonly queueSizes = QUEUE_SIZES;
  private host: VirtioHost | null = null;
  private s = virtioVsockResetState();
  private readonly streams = new Map<number, Stream>();
  /** Streams with something for the guest, in the order in which they get buffers. */
  private readonly work = new Set<Stream>();
  /** Packets of the guest that belong to nothing, to be answered by a reset. */
  private readonly resets: Reset[] = [];
  private readonly header = new DataView(new ArrayBuffer(Header.Size));
  private nextHostPort = FIRST_HOST_PORT;
  private pumping = false;
  /** The driver's packets wait until there is room for resets. */
  private held = false;
  private paused = false;

  constructor(private readonly options: VirtioVsockOptions) {}

  attach(host: VirtioHost): void {
    this.host = host;
  }

  dial(port: number, events: VsockEvents): VsockStream | null {
    if (this.host === null || !this.host.running) return null;
    const hostPort = this.freePort(port);
    return hostPort === null ? null : this.open(hostPort, port, Op.Request, events);
  }

  readConfig(offset: number, size: AccessSize): number {
    return offset < 4 ? partOf(this.options.cid, offset, size) : 0;
  }

  writeConfig(): void {}

  notify(queue: number): void {
    const { host } = this;
    if (host === null || !host.running || this.paused) return;
    if (queue === Queue.Event) this.tellLoss(host);
    if (queue === Queue.Transmit) this.transmit(host);
    this.pump();
    // Each round takes at least one of the driver's packets.
    while (this.held && this.resets.length < MAX_RESETS) {
      this.transmit(host);
      this.pump();
    }
  }

  reset(): void {
    this.loseStreams();
    this.s = virtioVsockResetState();
  }

  save(): VirtioVsockState {
    return { version: 1, lost: this.s.lost || this.streams.size > 0 };
  }

  restore(state: VirtioVsockState): void {
    this.loseStreams();
    this.s = { version: 1, lost: state.lost };
  }

  /** Nothing moves between two calls of this and {@link resume}; streams wait. */
  pause(): Promise<void> {
    this.paused = true;
    return Promise.resolve();
  }

  resume(): void {
    this.paused = false;
    for (let queue = 0; queue < QUEUE_SIZES.length; queue++) this.notify(queue);
  }

  /** The machine ends: so do all streams. */
  close(): void {
    this.loseStreams();
  }

  pending(stream: Stream): void {
    if (!stream.hasWork) return;
    this.work.add(stream);
    this.pump();
  }

  remove(stream: Stream, reset: boolean): void {
    const { hostPort, guestPort } = stream;
    this.work.delete(stream);
    if (!this.streams.delete(keyOf(hostPort, guestPort)) || !reset) return;
    this.resets.push({ sourcePort: guestPort, destinationPort: hostPort, type: SocketType.Stream });
    this.pump();
  }

  private open(hostPort: number, guestPort: number, op: Op.Request | Op.Response, events: VsockEvents | null): Stream {
    const stream = new Stream(hostPort, guestPort, this, op);
    this.streams.set(keyOf(hostPort, guestPort), stream);
    if (events !== null) stream.attach(events);
    this.work.add(stream);
    // A dialer's events begin after its call: the driver gets the request at once, and cannot answer before it runs.
    if (op === Op.Request) this.pump();
    return stream;
  }

  /** A port of the host that has no stream to the guest's `port`; null if there are too many streams. */
  private freePort(port: number): number | null {
    if (this.streams.size >= MAX_STREAMS && !this.forgetOne()) return null;
    do this.nextHostPort = this.nextHostPort === LAST_HOST_PORT ? FIRST_HOST_PORT : this.nextHostPort + 1;
    while (this.streams.has(keyOf(this.nextHostPort, port)));
    return this.nextHostPort;
  }

  /** Drops a stream of which both ends have said all, and of which the guest owes its last word. */
  private forgetOne(): boolean {
    for (const stream of this.streams.values()) {
      if (!stream.done) continue;
      this.remove(stream, true);
      return true;
    }
    return false;
  }

  private loseStreams(): void {
    const streams = [...this.streams.values()];
    this.streams.clear();
    this.work.clear();
    this.resets.length = 0;
    this.held = false;
    for (const stream of streams) stream.fail("reset");
  }

  private tellLoss(host: VirtioHost): void {
    if (!this.s.lost) return;
    const ring = host.queues[Queue.Event];
    const chain = ring.pop();
    if (chain === null) return;
    const event = new Uint8Array(EVENT_SIZE);
    event[0] = EVENT_TRANSPORT_RESET;
    ring.push(chain, chain.write(host.ram, 0, event));
    this.s.lost = false;
    host.used(Queue.Event);
  }

  /** Takes the driver's packets. */
  private transmit(host: VirtioHost): void {
    const ring = host.queues[Queue.Transmit];
    this.held = false;
    do {
      for (;;) {
        if (this.resets.length >= MAX_RESETS) {
          this.held = true;
          break;
        }
        const chain = ring.pop();
        if (chain === null) break;
        this.take(host, chain);
        // What was received may have reset the device by way of whoever it went to.
        if (!host.running) return;
        ring.push(chain, 0);
      }
    } while (!this.held && ring.enableNotify());
    host.used(Queue.Transmit);
  }

  private take(host: VirtioHost, chain: Chain): void {
    if (chain.read(host.ram, 0, new Uint8Array(this.header.buffer)) < Header.Size) return;
    const packet = readPacket(this.header, this.options.cid, HOST_CID);
    // From or to somebody else: there is nobody whom an answer could reach.
    if (!packet.addressed) return;
    const { sourcePort, destinationPort, length, type, op } = packet;
    const stream = this.streams.get(keyOf(destinationPort, sourcePort));
    if (type !== SocketType.Stream || length > RECEIVE_BUFFER || length > chain.readableLength - Header.Size) {
      if (stream === undefined) return this.refuse(packet);
      stream.fail("reset");
      return this.refuse(packet);
    }
    if (stream === undefined) return op === Op.Request ? this.accept(packet) : this.refuse(packet);
    const payload = new Uint8Array(length);
    chain.read(host.ram, Header.Size, payload);
    stream.receive(packet, payload);
  }

  private accept(packet: Packet): void {
    const { sourcePort, destinationPort } = packet;
    if (this.streams.size >= MAX_STREAMS && !this.forgetOne()) return this.refuse(packet);
    const stream = this.open(destinationPort, sourcePort, Op.Response, null);
    const events = this.options.listener.accept(destinationPort, stream);
    if (events === null) {
      this.remove(stream, true);
      return;
    }
    stream.attach(events);
    // The request carries the guest's credit.
    stream.receive({ ...packet, op: Op.CreditUpdate }, NOTHING);
  }

  /** Answers what belongs to nothing; a reset is never answered. */
  private refuse(packet: Packet): void {
    if (packet.op !== Op.Reset) this.resets.push(packet);
  }

  /** Puts what waits into the driver's buffers, one packet of each stream in turn, as long as there are any. */
  private pump(): void {
    const { host } = this;
    if (host === null || !host.running || this.paused || this.pumping) return;
    this.pumping = true;
    const ring = host.queues[Queue.Receive];
    let filled = false;
    while (this.resets.length > 0 || this.nextStream() !== null) {
      const chain = ring.pop();
      if (chain === null) {
        if (!ring.enableNotify()) break;
        continue;
      }
      filled = true;
      ring.push(chain, chain.writableLength < Header.Size ? 0 : this.fill(host, chain));
    }
    this.pumping = false;
    if (filled) host.used(Queue.Receive);
  }

  /** The stream whose turn it is; null if none has anything for the guest. */
  private nextStream(): Stream | null {
    for (const stream of this.work) {
      if (stream.hasWork) return stream;
      this.work.delete(stream);
    }
    return null;
  }

  /** Writes the next packet to a buffer of the driver; returns its length. */
  private fill(host: VirtioHost, chain: Chain): number {
    const reset = this.resets.shift();
    if (reset !== undefined) {
      const { sourcePort: guestPort, destinationPort: hostPort, type } = reset;
      const fields = { sourcePort: hostPort, destinationPort: guestPort, type, op: Op.Reset, flags: 0 };
      return this.write(host, chain, { ...fields, length: 0, bufAlloc: 0, fwdCnt: 0 }, NOTHING);
    }
    const stream = this.nextStream();
    if (stream === null) return 0;
    const { hostPort: sourcePort, guestPort: destinationPort } = stream;
    const { op, flags, payload } = stream.next(chain.writableLength - Header.Size);
    this.work.delete(stream);
    if (stream.hasWork) this.work.add(stream);
    const fields = { sourcePort, destinationPort, type: SocketType.Stream, op, flags, length: payload.length };
    const written = this.write(host, chain, { ...fields, ...stream.credit }, payload);
    if (stream.done) stream.complete();
    return written;
  }

  private write(host: VirtioHost, chain: Chain, packet: Omit<Packet, "addressed">, payload: Uint8Array): number {
    writePacket(this.header, packet, HOST_CID, this.options.cid);
    const written = chain.write(host.ram, 0, new Uint8Array(this.header.buffer));
    return written + chain.write(host.ram, written, payload);
  }
}
