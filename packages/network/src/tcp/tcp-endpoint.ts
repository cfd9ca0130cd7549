// SPDX-License-Identifier: Apache-2.0
import { ByteRing } from "./byte-ring.js";
import { Reassembly } from "./reassembly.js";
import { RoundTrip } from "./round-trip.js";
import { TcpFlag, type TcpSegment } from "./segment.js";
import { add, distance } from "./sequence.js";

/** A segment to send; `length` bytes of `data` from `offset` on are its payload. */
export interface OutgoingSegment {
  seq: number;
  ack: number;
  flags: number;
  window: number;
  /** Options of a SYN; 0 and -1 to leave them out. */
  maxSegment: number;
  windowScale: number;
  /** Most payload of one packet on the wire. */
  packet: number;
  data: ByteRing;
  offset: number;
  length: number;
}

/** What an endpoint needs of those around it. */
export interface TcpEndpointPorts {
  /** Monotonic time in ns. */
  now(): number;
  /** Sends a segment; false if there is no room, and then `output` is called when there is. */
  send(segment: OutgoingSegment): boolean;
  /** Most payload that one call of `send` takes, given the most of one packet on the wire. */
  largest(packet: number): number;
  /** Bytes that the user can take beyond those delivered. */
  room(): number;
  /** Both sides agree that the connection stands. */
  established(): void;
  /** The next bytes; they are good only until this returns. */
  data(bytes: Uint8Array): void;
  /** An acknowledgement is due before long: `acknowledgeNow` is to be called within some milliseconds. */
  acknowledgeSoon(): void;
  /** The peer sends no more. */
  ended(): void;
  /** The peer has acknowledged data, so that `queued` has become less. */
  acknowledged(): void;
  /** It is over, and the endpoint forgets everything; null if both sides ended it in order. */
  closed(reason: "reset" | "timeout" | null): void;
}

const enum State {
  SynSent,
  SynReceived,
  Established,
  Closed,
}

/** Whether the peer is owed an acknowledgement. */
const enum Ack {
  None,
  /** It may wait for more data, or for something to send. */
  Soon,
  Now,
}

const S = 1e9;
/** Window scale that it offers: windows up to 8 MiB in steps of 128 bytes. */
const WINDOW_SCALE = 7;
const MAX_WINDOW = 0xffff;
const DEFAULT_MAX_SEGMENT = 536;
/** Retransmissions of the same data before it gives up, with doubled pauses: several minutes. */
const MAX_RETRIES = 10;
const MAX_SYN_RETRIES = 5;
/** How long the end of a connection is remembered, to answer a FIN that comes again. */
const TIME_WAIT = 5 * S;
/** Silence after which the peer is asked whether it is still there, and pause between questions. */
const KEEPALIVE_AFTER = 900 * S;
const KEEPALIVE_PAUSE = 60 * S;
const MAX_KEEPALIVES = 5;
const DUPLICATES_FOR_LOSS = 3;
const NEVER = Number.POSITIVE_INFINITY;

/**
 * One end of a TCP connection (RFC 9293), on a cable that seldom loses anything: window scaling, reassembly, fast and
 * timed retransmission, zero-window probes, half-close, keepalive; no selective acknowledgement and no congestion window
 * but after a loss. Whatever the peer sends, it holds no more than its windows, and ends in `closed`.
 */
export class TcpEndpoint {
  private state: State;
  private una: number;
  private nxt: number;
  /** Highest sequence number sent; `nxt` goes back to `una` after a loss. */
  private max: number;
  private peerWindow = 0;
  private peerScale = 0;
  private windowSeq = 0;
  private windowAck = 0;
  private packet = DEFAULT_MAX_SEGMENT;
  private rcvNxt = 0;
  /** Right edge of the window that the peer was told; it never moves left. */
  private edge = 0;
  private scale = 0;
  private readonly queue = new ByteRing();
  private readonly early = new Reassembly();
  private readonly trip = new RoundTrip();
  /** Sequence number whose acknowledgement is timed, and since when; -1 while none is. */
  private timedSeq = 0;
  private timedSince = -1;
  private finQueued = false;
  private finSent = false;
  /** Sequence number of our FIN once it was sent, or -1. */
  private finSeq = -1;
  private finAcknowledged = false;
  private finReceived = false;
  /** Sequence number of a FIN that came before data that precedes it, or -1. */
  private earlyFin = -1;
  private ackDue = Ack.None;
  /** Data that came in since the last acknowledgement. */
  private unacknowledged = 0;
  private duplicates = 0;
  private retries = 0;
  /** Bytes in flight allowed after a loss, until everything sent before it has been acknowledged. */
  private recovery = NEVER;
  private retransmitAt = NEVER;
  private lastHeard: number;
  private keepalives = 0;
  private waitUntil = NEVER;
  private readonly segment: OutgoingSegment;

  private constructor(
    private readonly ports: TcpEndpointPorts,
    state: State,
    initial: number,
    private readonly ownMaxSegment: number,
  ) {
    this.state = state;
    this.una = initial;
    this.nxt = initial;
    this.max = initial;
    this.lastHeard = ports.now();
    this.segment = {
      seq: 0,
      ack: 0,
      flags: 0,
      window: 0,
      maxSegment: 0,
      windowScale: -1,
      packet: 0,
      data: this.queue,
      offset: 0,
      length: 0,
    };
  }

  /** Answers a SYN. `maxSegment` is what may be sent to this end in one packet. */
  static accept(ports: TcpEndpointPorts, syn: TcpSegment, initial: number, maxSegment: number): TcpEndpoint {
    const end = new TcpEndpoint(ports, State.SynReceived, initial, maxSegment);
    end.learn(syn);
    end.sendSyn();
    return end;
  }

  /** Asks a peer for a connection. */
  static connect(ports: TcpEndpointPorts, initial: number, maxSegment: number): TcpEndpoint {
    const end = new TcpEndpoint(ports, State.SynSent, initial, maxSegment);
    end.sendSyn();
    return end;
  }

  /** Bytes given to `write` that the peer has not acknowledged. */
  get queued(): number {
    return this.queue.length;
  }

  /** Bytes of memory that what is queued takes. */
  get memory(): number {
    return this.queue.capacity;
  }

  get isEstablished(): boolean {
    return this.state === State.Established;
  }

  /** When `tick` has something to do, in ns, or Infinity. */
  get deadline(): number {
    if (this.state === State.Closed) return NEVER;
    return Math.min(this.retransmitAt, this.waitUntil, this.keepaliveAt());
  }

  /** Gives memory back that has not been needed since the last call. */
  releaseMemory(): void {
    this.queue.release();
  }

  /** Queues bytes, which are copied. */
  write(bytes: Uint8Array): void {
    if (this.state === State.Closed || this.finQueued) return;
    this.queue.append(bytes);
    if (this.isEstablished) this.output();
  }

  /** Sends FIN after what was written. */
  end(): void {
    if (this.state === State.Closed || this.finQueued) return;
    this.finQueued = true;
    if (this.isEstablished) this.output();
  }

  /** Resets the connection; `closed` is not called. */
  abort(): void {
    if (this.state === State.Closed) return;
    this.transmit(TcpFlag.Rst | TcpFlag.Ack, this.max, 0, 0);
    this.forget();
  }

  /** The user can take more: tells the peer if that is worth a packet (RFC 9293, 3.8.6.2.2). */
  roomGrew(): void {
    if (!this.isEstablished || this.finReceived) return;
    const open = distance(this.rcvNxt, this.edge);
    const now = this.windowNow();
    if (now - open >= Math.max(2 * this.packet, now / 4)) {
      this.ackDue = Ack.Now;
      this.output();
    }
  }

  /** What happens by itself when time passes. */
  tick(now: number): void {
    if (this.state === State.Closed) return;
    if (now >= this.waitUntil) return this.finish(null);
    if (now >= this.retransmitAt) return this.timedOut();
    if (now < this.keepaliveAt()) return;
    if (this.keepalives >= MAX_KEEPALIVES) return this.finish("timeout");
    this.keepalives++;
    this.transmit(TcpFlag.Ack, add(this.una, -1), 0, 0);
  }

  /** A segment of this connection has come. Answers wait for `output`. */
  receive(segment: TcpSegment): void {
    if (this.state === State.Closed) return;
    this.lastHeard = this.ports.now();
    this.keepalives = 0;
    if (this.state === State.SynSent) return this.receiveInSynSent(segment);
    const { flags } = segment;
    if ((flags & TcpFlag.Rst) !== 0) return this.receiveReset(segment);
    if ((flags & TcpFlag.Syn) !== 0) {
      // Our SYN was lost, or somebody guesses: say again where we are (RFC 9293, 3.10.7.4).
      if (this.state === State.SynReceived) this.nxt = this.una;
      this.ackDue = Ack.Now;
      if (this.state === State.SynReceived) this.sendSyn();
      return;
    }
    if ((flags & TcpFlag.Ack) === 0) return;
    if (!this.receiveAck(segment) || this.isClosed()) return;
    this.receiveData(segment);
  }

  /** Sends what may be sent: data, FIN, an acknowledgement that is due. To be called again when `send` has room. */
  output(): void {
    if (this.state === State.Closed) return;
    if (this.state !== State.Established) return;
    if (!this.sendData()) return;
    if (this.finQueued && !this.sendFin()) return;
    if (this.ackDue === Ack.Now) this.transmit(TcpFlag.Ack, this.nxt, 0, 0);
    else if (this.ackDue === Ack.Soon) this.ports.acknowledgeSoon();
  }

  /** Sends an acknowledgement that was put off. */
  acknowledgeNow(): void {
    if (this.state === State.Established && this.ackDue !== Ack.None) this.transmit(TcpFlag.Ack, this.nxt, 0, 0);
  }

  private learn({ seq, maxSegment, windowScale, window }: TcpSegment): void {
    this.rcvNxt = add(seq, 1);
    this.edge = this.rcvNxt;
    this.packet = Math.max(64, Math.min(maxSegment === 0 ? DEFAULT_MAX_SEGMENT : maxSegment, this.ownMaxSegment));
    // Both sides scale or none does (RFC 7323, 2.2); the window of a SYN itself is never scaled.
    this.peerScale = Math.max(0, windowScale);
    this.scale = windowScale >= 0 ? WINDOW_SCALE : 0;
    this.peerWindow = window;
    this.windowSeq = seq;
    this.windowAck = this.una;
  }

  private sendSyn(): void {
    const { segment } = this;
    const answer = this.state === State.SynReceived;
    segment.maxSegment = this.ownMaxSegment;
    segment.windowScale = !answer || this.scale > 0 ? WINDOW_SCALE : -1;
    this.transmit(answer ? TcpFlag.Syn | TcpFlag.Ack : TcpFlag.Syn, this.una, 0, 0);
    segment.maxSegment = 0;
    segment.windowScale = -1;
    this.nxt = add(this.una, 1);
    this.max = this.nxt;
    this.arm();
  }

  private receiveInSynSent(segment: TcpSegment): void {
    const { flags, ack } = segment;
    const acknowledges = (flags & TcpFlag.Ack) !== 0;
    if (acknowledges && ack !== this.nxt) return;
    if ((flags & TcpFlag.Rst) !== 0) {
      if (acknowledges) this.finish("reset");
      return;
    }
    // A crossing SYN without ACK cannot happen here: nobody connects to the ports from which connections are made.
    if ((flags & TcpFlag.Syn) === 0 || !acknowledges) return;
    this.una = ack;
    this.learn(segment);
    this.ackDue = Ack.Now;
    this.establish();
  }

  private establish(): void {
    this.state = State.Established;
    this.retransmitAt = NEVER;
    this.retries = 0;
    this.ports.established();
  }

  private receiveReset({ seq }: TcpSegment): void {
    const offset = distance(this.rcvNxt, seq);
    if (offset === 0) this.finish("reset");
    // Inside the window but not at its start: a guess, answered with where we are (RFC 5961, 3.2).
    else if (offset > 0 && offset < distance(this.rcvNxt, this.edge)) this.ackDue = Ack.Now;
  }

  /** Returns false if the segment is to be dropped. */
  private receiveAck(segment: TcpSegment): boolean {
    const { ack, seq } = segment;
    if (distance(this.max, ack) > 0) {
      this.ackDue = Ack.Now;
      return false;
    }
    const progress = distance(this.una, ack);
    if (this.state === State.SynReceived) {
      if (progress !== 1) return false;
      this.una = ack;
      this.windowAck = ack;
      this.establish();
    } else if (progress > 0) this.advance(ack, progress);
    const window = segment.window * 2 ** this.peerScale;
    const newer = distance(this.windowSeq, seq);
    if (progress === 0 && this.state === State.Established) this.countDuplicate(segment, window);
    if (distance(this.una, ack) === 0 && (newer > 0 || (newer === 0 && distance(this.windowAck, ack) >= 0))) {
      if (this.peerWindow === 0 && window > 0) this.retries = 0;
      this.peerWindow = window;
      this.windowSeq = seq;
      this.windowAck = ack;
    }
    return true;
  }

  private advance(ack: number, progress: number): void {
    // FIN takes a number of its own behind the data.
    const ofData = Math.min(progress, this.queue.length);
    this.queue.drop(ofData);
    this.una = ack;
    if (distance(this.nxt, ack) > 0) this.nxt = ack;
    this.duplicates = 0;
    this.retries = 0;
    if (this.recovery !== NEVER)
      this.recovery = distance(ack, this.max) <= 0 ? NEVER : Math.max(this.recovery * 2, this.packet);
    if (this.timedSince >= 0 && distance(this.timedSeq, ack) >= 0) {
      this.trip.measured(this.ports.now() - this.timedSince);
      this.timedSince = -1;
    }
    this.retransmitAt = NEVER;
    if (distance(this.una, this.max) > 0) this.arm();
    if (this.finSeq >= 0 && distance(this.finSeq, ack) > 0) this.finArrivedThere();
    if (ofData > 0 && !this.isClosed()) this.ports.acknowledged();
  }

  private countDuplicate({ payload, flags }: TcpSegment, window: number): void {
    const inFlight = distance(this.una, this.max) > 0;
    if (!inFlight || payload.length > 0 || (flags & TcpFlag.Fin) !== 0 || window !== this.peerWindow) return;
    this.duplicates++;
    if (this.duplicates !== DUPLICATES_FOR_LOSS) return;
    this.goBack(2 * this.packet);
  }

  /** Everything from the first unacknowledged byte on is sent again, `limit` bytes of it at first. */
  private goBack(limit: number): void {
    this.nxt = this.una;
    this.finSent = false;
    this.recovery = limit;
    this.timedSince = -1;
  }

  private receiveData({ seq, payload, flags }: TcpSegment): void {
    const fin = (flags & TcpFlag.Fin) !== 0;
    const length = payload.length + (fin ? 1 : 0);
    const offset = distance(this.rcvNxt, seq);
    if (length === 0) {
      // Not ours to acknowledge, except for a question whether we are still there.
      if (offset < 0) this.ackDue = Ack.Now;
      return;
    }
    this.ackDue = Ack.Now;
    if (this.finReceived) return;
    const window = distance(this.rcvNxt, this.edge);
    if (offset + length <= 0 || offset > window) return;
    const skip = Math.max(0, -offset);
    const bytes = payload.subarray(skip, Math.max(skip, Math.min(payload.length, window - offset)));
    const whole = skip + bytes.length === payload.length || skip >= payload.length;
    if (offset > 0) {
      if (bytes.length > 0) this.early.insert(seq, bytes);
      if (fin && whole) this.earlyFin = add(seq, payload.length);
      return;
    }
    // Two full packets, an end, a hole or a repetition are acknowledged at once (RFC 9293, 3.8.6.3).
    this.unacknowledged += length;
    if (!fin && skip === 0 && whole && this.early.empty && this.unacknowledged < 2 * this.packet)
      this.ackDue = Ack.Soon;
    this.deliver(bytes);
    if (fin && whole) this.earlyFin = add(seq, payload.length);
    for (let more = this.early.take(this.rcvNxt); more !== null; more = this.early.take(this.rcvNxt))
      this.deliver(more);
    if (this.earlyFin >= 0 && this.earlyFin === this.rcvNxt && !this.isClosed()) this.finArrived();
  }

  private isClosed(): boolean {
    return this.state === State.Closed;
  }

  private deliver(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.isClosed()) return;
    this.rcvNxt = add(this.rcvNxt, bytes.length);
    this.ports.data(bytes);
  }

  private finArrived(): void {
    this.rcvNxt = add(this.rcvNxt, 1);
    this.edge = this.rcvNxt;
    this.finReceived = true;
    this.early.clear();
    if (this.finAcknowledged) this.waitUntil = this.ports.now() + TIME_WAIT;
    this.ports.ended();
  }

  /** The side that ends first remembers the end; the other one is done with it (RFC 9293, 3.6). */
  private finArrivedThere(): void {
    if (this.finAcknowledged) return;
    this.finAcknowledged = true;
    if (this.finReceived) this.finish(null);
  }

  private windowNow(): number {
    const room = Math.min(Math.max(0, this.ports.room()), MAX_WINDOW * 2 ** this.scale);
    return room - (room % 2 ** this.scale);
  }

  /** Sends as much data as windows and the cable allow; false if the cable is full. */
  private sendData(): boolean {
    const { queue } = this;
    for (;;) {
      const offset = distance(this.una, this.nxt);
      const waiting = queue.length - offset;
      if (waiting <= 0) return true;
      const allowed = Math.min(this.peerWindow, this.recovery) - offset;
      const length = Math.min(waiting, allowed, this.ports.largest(this.packet));
      if (length <= 0) {
        if (offset === 0 && this.retransmitAt === NEVER) this.arm();
        return true;
      }
      // Rather wait for a wider window than send a small piece of what there is (RFC 9293, 3.8.6.2.1).
      if (length < waiting && length < this.packet && offset > 0) return true;
      const flags = TcpFlag.Ack | (length === waiting ? TcpFlag.Psh : 0);
      if (!this.transmit(flags, this.nxt, offset, length)) return false;
      if (this.timedSince < 0 && this.nxt === this.max) {
        this.timedSince = this.ports.now();
        this.timedSeq = add(this.nxt, length);
      }
      this.nxt = add(this.nxt, length);
      if (distance(this.max, this.nxt) > 0) this.max = this.nxt;
      if (this.retransmitAt === NEVER) this.arm();
    }
  }

  private sendFin(): boolean {
    if (this.finSent || this.finAcknowledged || distance(this.una, this.nxt) !== this.queue.length) return true;
    if (!this.transmit(TcpFlag.Fin | TcpFlag.Ack, this.nxt, 0, 0)) return false;
    this.finSent = true;
    this.finSeq = this.nxt;
    this.nxt = add(this.nxt, 1);
    if (distance(this.max, this.nxt) > 0) this.max = this.nxt;
    this.arm();
    return true;
  }

  private transmit(flags: number, seq: number, offset: number, length: number): boolean {
    const { segment } = this;
    const acknowledges = (flags & TcpFlag.Ack) !== 0;
    const window = Math.max(this.windowNow(), distance(this.rcvNxt, this.edge));
    const scale = (flags & TcpFlag.Syn) === 0 ? this.scale : 0;
    const shown = Math.min(MAX_WINDOW, Math.floor(window / 2 ** scale));
    segment.seq = seq;
    segment.ack = acknowledges ? this.rcvNxt : 0;
    segment.flags = flags;
    segment.window = shown;
    segment.packet = this.packet;
    segment.offset = offset;
    segment.length = length;
    if (!this.ports.send(segment)) return false;
    if (acknowledges) {
      this.ackDue = Ack.None;
      this.unacknowledged = 0;
      const edge = add(this.rcvNxt, shown * 2 ** scale);
      if (!this.finReceived && distance(this.edge, edge) > 0) this.edge = edge;
    }
    return true;
  }

  private arm(): void {
    this.retransmitAt = this.ports.now() + this.trip.retransmitAfter;
  }

  private keepaliveAt(): number {
    if (!this.isEstablished || this.waitUntil !== NEVER) return NEVER;
    return this.lastHeard + KEEPALIVE_AFTER + this.keepalives * KEEPALIVE_PAUSE;
  }

  private timedOut(): void {
    const limit = this.state === State.Established ? MAX_RETRIES : MAX_SYN_RETRIES;
    if (++this.retries > limit) return this.finish("timeout");
    this.trip.backOff();
    if (this.state !== State.Established) return this.sendSyn();
    if (this.peerWindow === 0 && this.queue.length > 0) return this.probe();
    this.goBack(this.packet);
    this.arm();
    this.output();
  }

  /** Asks a peer whose window is closed by sending a byte too much (RFC 9293, 3.8.6.1). */
  private probe(): void {
    // A peer that answers is alive, however long its window stays closed.
    if (this.ports.now() - this.lastHeard < 2 * this.trip.retransmitAfter) this.retries = 0;
    this.arm();
    if (this.transmit(TcpFlag.Ack, this.una, 0, 1) && this.max === this.una) this.max = add(this.una, 1);
  }

  private finish(reason: "reset" | "timeout" | null): void {
    this.forget();
    this.ports.closed(reason);
  }

  private forget(): void {
    this.state = State.Closed;
    this.queue.clear();
    this.early.clear();
  }
}
