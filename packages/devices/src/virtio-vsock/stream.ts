// SPDX-License-Identifier: Apache-2.0
import type { VsockEvents, VsockFailure, VsockStream } from "@isola/ports";
import type { Packet } from "./packet.js";
import { CREDIT_STEP, MAX_PAYLOAD, Op, RECEIVE_BUFFER, SEND_BUFFER, ShutdownFlag } from "./registers.js";
import { SendQueue } from "./send-queue.js";

/** What a stream needs of the device around it. */
export interface StreamOwner {
  /** The stream has something for the guest. */
  pending(stream: Stream): void;
  /** The stream is over; a reset still goes to the guest if `reset` says so. */
  remove(stream: Stream, reset: boolean): void;
}

/** A packet to the guest and its payload. */
export interface Outgoing {
  readonly op: Op;
  readonly flags: number;
  readonly payload: Uint8Array;
}

const NOTHING = new Uint8Array();

/** One stream socket between host and guest: the host's side of the protocol (5.10.6). */
export class Stream implements VsockStream {
  private events: VsockEvents | null = null;
  private readonly queue = new SendQueue(SEND_BUFFER);
  /** Next packet that is no data; shutdowns come after data. */
  private opening: Op.Request | Op.Response | null;
  private connected: boolean;
  private over = false;
  /** The host ends, and has told the guest so. */
  private ending = false;
  private endTold = false;
  private closeTold = false;
  private guestEnded = false;
  private guestDeaf = false;
  /** A write took less than it was offered. */
  private wantsRoom = false;
  private creditAsked = false;
  /** Bytes received and taken so far, and how many the guest knows to be taken; modulo 2^32. */
  private received = 0;
  private taken32 = 0;
  private told = 0;
  /** Bytes sent so far, and the guest's credit. */
  private sent = 0;
  private guestBuffer = 0;
  private guestTaken = 0;

  constructor(
    readonly hostPort: number,
    readonly guestPort: number,
    private readonly owner: StreamOwner,
    opening: Op.Request | Op.Response,
  ) {
    this.opening = opening;
    this.connected = opening === Op.Response;
  }

  /** The host's end; called once, before anything arrives. */
  attach(events: VsockEvents): void {
    this.events = events;
  }

  write(bytes: Uint8Array): number {
    if (this.over || this.ending) return bytes.length;
    // Nobody in the guest reads any more; what a broken pipe is elsewhere, the end of the stream tells here.
    if (this.guestDeaf) return bytes.length;
    const taken = this.queue.push(bytes);
    this.wantsRoom = taken < bytes.length;
    this.owner.pending(this);
    return taken;
  }

  end(): void {
    if (this.over || this.ending) return;
    this.ending = true;
    this.owner.pending(this);
  }

  taken(count: number): void {
    if (this.over) return;
    this.taken32 = (this.taken32 + count) >>> 0;
    if ((this.taken32 - this.told) >>> 0 >= CREDIT_STEP) this.owner.pending(this);
  }

  abort(): void {
    if (this.over) return;
    this.over = true;
    // A guest that has not been asked yet need not be told either.
    this.owner.remove(this, this.opening !== Op.Request);
  }

  /** The other side is gone, or was never there. */
  fail(failure: VsockFailure): void {
    this.finish(failure, false);
  }

  /** The host's side of the credit, for the header of any packet. */
  get credit(): { readonly bufAlloc: number; readonly fwdCnt: number } {
    return { bufAlloc: RECEIVE_BUFFER, fwdCnt: this.taken32 };
  }

  /** Whether {@link next} has a packet. */
  get hasWork(): boolean {
    if (this.opening !== null || this.owesCredit) return true;
    if (!this.connected) return false;
    if (this.queue.length > 0) return this.room > 0;
    return (this.ending && !this.endTold) || this.owesClose;
  }

  /** Takes the next packet for the guest, with at most `most` bytes of payload; only if there is one. */
  next(most: number): Outgoing {
    this.told = this.taken32;
    if (this.opening !== null) {
      const op = this.opening;
      this.opening = null;
      return { op, flags: 0, payload: NOTHING };
    }
    if (this.connected && this.queue.length > 0 && this.room > 0 && most > 0) {
      const payload = this.queue.take(Math.min(most, this.room, MAX_PAYLOAD));
      this.sent = (this.sent + payload.length) >>> 0;
      this.creditAsked = false;
      this.offerRoom();
      return { op: Op.Data, flags: 0, payload };
    }
    if (this.connected && this.queue.length === 0 && this.ending && (!this.endTold || this.owesClose)) {
      this.endTold = true;
      if (!this.guestEnded) return { op: Op.Shutdown, flags: ShutdownFlag.Send, payload: NOTHING };
      this.closeTold = true;
      return { op: Op.Shutdown, flags: ShutdownFlag.Both, payload: NOTHING };
    }
    this.creditAsked = false;
    return { op: Op.CreditUpdate, flags: 0, payload: NOTHING };
  }

  /** After a packet has gone out: both sides have ended, and nothing is left to be said. */
  get done(): boolean {
    return this.closeTold;
  }

  /** Tells the host that it is over because both sides have ended; the guest's last word may be outstanding. */
  complete(): void {
    if (this.over) return;
    this.over = true;
    this.events?.closed(null);
  }

  /** Takes a packet of the guest; `payload` is what it carries. */
  receive(packet: Packet, payload: Uint8Array): void {
    this.guestBuffer = packet.bufAlloc;
    this.guestTaken = packet.fwdCnt;
    switch (packet.op) {
      case Op.Response:
        if (this.connected || this.opening !== null) return this.finish("reset", true);
        this.connected = true;
        this.events?.connected();
        break;
      case Op.Data:
        return this.data(payload);
      case Op.CreditRequest:
        this.creditAsked = true;
        break;
      case Op.CreditUpdate:
        break;
      case Op.Shutdown:
        return this.shutdown(packet.flags);
      case Op.Reset:
        return this.reset();
      default:
        return this.finish("reset", true);
    }
    this.owner.pending(this);
  }

  private data(payload: Uint8Array): void {
    this.received = (this.received + payload.length) >>> 0;
    // More than there was credit for, or after its own end: that is no driver to talk to (5.10.6.3).
    const under = (this.received - this.taken32) >>> 0;
    if (!this.connected || this.guestEnded || under > RECEIVE_BUFFER) return this.finish("reset", true);
    if (payload.length > 0) this.events?.data(payload);
    this.owner.pending(this);
  }

  private shutdown(flags: number): void {
    if (!this.connected) return this.finish("reset", true);
    if ((flags & ShutdownFlag.Receive) !== 0 && !this.guestDeaf) {
      this.guestDeaf = true;
      this.queue.clear();
      this.offerRoom();
    }
    if ((flags & ShutdownFlag.Send) !== 0 && !this.guestEnded) {
      this.guestEnded = true;
      this.events?.ended();
    }
    if (this.over) return;
    // Both directions are closed: the answer is a reset, by which the guest forgets the stream (5.10.6.5).
    if (this.guestEnded && this.guestDeaf) return this.finish(null, true);
    this.owner.pending(this);
  }

  private reset(): void {
    if (!this.connected) return this.finish("refused", false);
    this.finish(this.guestEnded && this.endTold ? null : "reset", false);
  }

  private finish(failure: VsockFailure | null, reset: boolean): void {
    this.owner.remove(this, reset);
    if (this.over) return;
    this.over = true;
    this.events?.closed(failure);
  }

  private offerRoom(): void {
    if (!this.wantsRoom || this.queue.length > SEND_BUFFER / 2) return;
    this.wantsRoom = false;
    this.events?.writable();
  }

  /** What the guest's buffer still takes (5.10.6.3). */
  private get room(): number {
    const underWay = (this.sent - this.guestTaken) >>> 0;
    return Math.max(0, this.guestBuffer - underWay);
  }

  private get owesCredit(): boolean {
    return this.creditAsked || (this.taken32 - this.told) >>> 0 >= CREDIT_STEP;
  }

  /** Both sides have ended, and the guest has not been told that the stream is to be closed. */
  private get owesClose(): boolean {
    return this.ending && this.guestEnded && !this.closeTold;
  }
}
