// SPDX-License-Identifier: Apache-2.0
// Framing of the GDB remote serial protocol ("Debugging with GDB", appendix E.1): $body#checksum.
import { bytesOfText } from "./hex.js";

/** Bytes between `$` and `#` that are taken, as the stub tells GDB in PacketSize. */
export const MAX_PACKET = 0x4000;

/** What a connection brings. */
export type Incoming =
  /** Bytes of the body as characters 0-255, escapes undone. */
  | { readonly kind: "packet"; readonly body: string }
  /** A wrong checksum. */
  | { readonly kind: "corrupt" }
  /** A packet longer than {@link MAX_PACKET}, whose checksum was not looked at. */
  | { readonly kind: "too-long" }
  | { readonly kind: "ack" }
  | { readonly kind: "nak" }
  /** Ctrl-C, outside packets. */
  | { readonly kind: "interrupt" };

const DOLLAR = 0x24;
const HASH = 0x23;
const PLUS = 0x2b;
const MINUS = 0x2d;
const ESCAPE = 0x7d;
const STAR = 0x2a;
const CTRL_C = 3;
const ESCAPED = 0x20;

const enum State {
  Outside,
  Body,
  FirstDigit,
  SecondDigit,
}

function digit(byte: number): number {
  const value = parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? -1 : value;
}

/** Takes a stream of bytes apart. What is neither a packet nor one of the single characters is skipped. */
export class PacketReader {
  private state: State = State.Outside;
  private body = "";
  private sum = 0;
  private length = 0;
  private escaped = false;
  private claimed = 0;

  constructor(private readonly deliver: (incoming: Incoming) => void) {}

  push(bytes: Uint8Array): void {
    for (const byte of bytes) this.take(byte);
  }

  private take(byte: number): void {
    switch (this.state) {
      case State.Outside:
        return this.outside(byte);
      case State.Body:
        return this.inBody(byte);
      case State.FirstDigit:
        this.claimed = digit(byte) * 16;
        this.state = State.SecondDigit;
        return;
      default:
        this.state = State.Outside;
        return this.end(byte);
    }
  }

  private outside(byte: number): void {
    if (byte === DOLLAR) this.begin();
    else if (byte === PLUS) this.deliver({ kind: "ack" });
    else if (byte === MINUS) this.deliver({ kind: "nak" });
    else if (byte === CTRL_C) this.deliver({ kind: "interrupt" });
  }

  private begin(): void {
    this.state = State.Body;
    this.body = "";
    this.sum = 0;
    this.length = 0;
    this.escaped = false;
  }

  private inBody(byte: number): void {
    // The beginning of another packet: the rest of this one was lost.
    if (byte === DOLLAR) return this.begin();
    if (byte === HASH) {
      this.state = State.FirstDigit;
      return;
    }
    this.sum = (this.sum + byte) & 0xff;
    if (++this.length > MAX_PACKET) return;
    if (this.escaped) this.body += String.fromCharCode(byte ^ ESCAPED);
    else if (byte !== ESCAPE) this.body += String.fromCharCode(byte);
    this.escaped = !this.escaped && byte === ESCAPE;
  }

  private end(byte: number): void {
    const low = digit(byte);
    if (this.length > MAX_PACKET) this.deliver({ kind: "too-long" });
    else if (low < 0 || this.claimed + low !== this.sum) this.deliver({ kind: "corrupt" });
    else this.deliver({ kind: "packet", body: this.body });
  }
}

/** A packet ready to be sent. `body` has characters 0-255; those that mean something to the framing are escaped. */
export function encodePacket(body: string): Uint8Array {
  const bytes: number[] = [DOLLAR];
  let sum = 0;
  const put = (byte: number): void => {
    bytes.push(byte);
    sum = (sum + byte) & 0xff;
  };
  for (const byte of bytesOfText(body)) {
    if (byte === DOLLAR || byte === HASH || byte === ESCAPE || byte === STAR) {
      put(ESCAPE);
      put(byte ^ ESCAPED);
    } else put(byte);
  }
  return Uint8Array.from([...bytes, HASH, ...bytesOfText(sum.toString(16).padStart(2, "0"))]);
}
