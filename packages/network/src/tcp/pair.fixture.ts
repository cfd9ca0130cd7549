// SPDX-License-Identifier: Apache-2.0
import type { ByteRing } from "./byte-ring.js";
import type { TcpSegment } from "./segment.js";
import { type OutgoingSegment, TcpEndpoint, type TcpEndpointPorts } from "./tcp-endpoint.js";

/** Repeatable random numbers from 0 to 1. */
export function randomNumbers(seed: number): () => number {
  let state = (seed * 0x9e37_79b9) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

export interface Faults {
  readonly loss: number;
  readonly duplication: number;
  readonly reordering: number;
}

export const NO_FAULTS: Faults = { loss: 0, duplication: 0, reordering: 0 };
const MAX_SEGMENT = 1460;

/** One end and the user above it. */
export class Side implements TcpEndpointPorts {
  endpoint: TcpEndpoint | null = null;
  readonly received: number[] = [];
  hasEnded = false;
  reason: "reset" | "timeout" | null | undefined;
  roomLeft = 1 << 20;
  isUp = false;
  constructor(private readonly net: Pair) {}

  now(): number {
    return this.net.time;
  }
  send(segment: OutgoingSegment): boolean {
    return this.net.carry(this, segment);
  }
  largest(packet: number): number {
    return packet * this.net.aggregate;
  }
  room(): number {
    return this.roomLeft;
  }
  established(): void {
    this.isUp = true;
  }
  data(bytes: Uint8Array): void {
    this.received.push(...bytes);
  }
  ended(): void {
    this.hasEnded = true;
  }
  acknowledged(): void {}
  acknowledgeSoon(): void {
    this.net.late.push(this);
  }
  closed(reason: "reset" | "timeout" | null): void {
    this.reason = reason;
  }
}

/** Two endpoints and a cable between them that loses, doubles and reorders. Time is moved by `run`. */
export class Pair {
  time = 0;
  aggregate = 1;
  sent = 0;
  readonly client = new Side(this);
  readonly server = new Side(this);
  full = false;
  readonly late: Side[] = [];
  private wire: { to: Side; segment: TcpSegment }[] = [];

  constructor(
    private readonly random: () => number,
    public faults: Faults,
    private readonly initial = 0xffff_fff0,
  ) {
    this.client.endpoint = TcpEndpoint.connect(this.client, initial, MAX_SEGMENT);
  }

  carry(from: Side, out: OutgoingSegment): boolean {
    if (this.full) return false;
    this.sent++;
    const payload = new Uint8Array(out.length);
    out.data.copy(out.offset, out.length, payload, 0);
    const { seq, ack, flags, window, maxSegment, windowScale } = out;
    const segment = { sourcePort: 1, destinationPort: 2, seq, ack, flags, window, maxSegment, windowScale, payload };
    const to = from === this.client ? this.server : this.client;
    const { loss, duplication, reordering } = this.faults;
    if (this.random() < loss) return true;
    const copies = this.random() < duplication ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const at = this.random() < reordering ? Math.floor(this.random() * (this.wire.length + 1)) : this.wire.length;
      this.wire.splice(at, 0, { to, segment });
    }
    return true;
  }

  /** Delivers what is under way and lets time pass, `steps` times or until `done`. */
  run(steps: number, done: () => boolean = () => false): boolean {
    for (let i = 0; i < steps; i++) {
      if (done()) return true;
      const batch = this.wire.splice(0, 1 + Math.floor(this.random() * 8));
      for (const { to, segment } of batch) this.deliver(to, segment);
      for (const side of [this.client, this.server]) side.endpoint?.output();
      if (this.random() < 0.3 || this.wire.length === 0)
        for (const side of this.late.splice(0)) side.endpoint?.acknowledgeNow();
      if (this.wire.length > 0) {
        this.time += 1e6;
        continue;
      }
      const next = Math.min(this.client.endpoint?.deadline ?? Infinity, this.server.endpoint?.deadline ?? Infinity);
      if (next === Infinity) return done();
      this.time = Math.max(this.time + 1e6, Math.min(next, this.time + 1e9));
      for (const side of [this.client, this.server]) side.endpoint?.tick(this.time);
    }
    return done();
  }

  /** Puts a segment of an attacker on the cable. */
  forge(to: Side, segment: Partial<TcpSegment>): void {
    const nothing = { sourcePort: 1, destinationPort: 2, seq: 0, ack: 0, flags: 0, window: 0, maxSegment: 0 };
    this.deliver(to, { ...nothing, windowScale: -1, payload: new Uint8Array(0), ...segment });
  }

  private deliver(to: Side, segment: TcpSegment): void {
    if (to === this.server && to.endpoint === null) {
      if ((segment.flags & 2) !== 0) to.endpoint = TcpEndpoint.accept(to, segment, this.initial, MAX_SEGMENT);
      return;
    }
    to.endpoint?.receive(segment);
  }
}

/** Bytes that tell their place. */
export function pattern(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) & 0xff);
}

/** The content of a ring. */
export function contentOf(ring: ByteRing): Uint8Array {
  const bytes = new Uint8Array(ring.length);
  ring.copy(0, ring.length, bytes, 0);
  return bytes;
}
