// SPDX-License-Identifier: Apache-2.0
import type { Endpoint, SocketFailure } from "@isola/ports";

/*
 * What a relay and its client say to each other. Each message of the channel (a binary message of a WebSocket) is one
 * frame:
 *
 *     0      1          5
 *     +------+----------+-------------+
 *     | kind | id       | contents    |
 *     +------+----------+-------------+
 *
 * Numbers are big endian. The client chooses ids; a connection, a UDP socket and a question each have their own, which
 * is used again never. Text is Latin-1 behind a length of one byte; an endpoint is a port (2 bytes) and its address as
 * text.
 */

/** Raised with every change of the frames. */
export const RELAY_VERSION = 1;

/** What a client asks for. */
export const enum Ask {
  /** TCP connection to an endpoint. */
  Connect = 1,
  /** Bytes for a connection. */
  Data = 2,
  /** The connection gets no more bytes. */
  End = 3,
  /** The connection is reset and forgotten. */
  Abort = 4,
  /** So many bytes of a connection were taken (4 bytes). */
  Taken = 5,
  /** UDP socket of a family (1 byte: 4 or 6). */
  OpenUdp = 6,
  /** Datagram to an endpoint: the endpoint, then the bytes. */
  Send = 7,
  CloseUdp = 8,
  /** Addresses of a name (text), or names of an address. */
  Addresses = 9,
  Names = 10,
}

/** What a relay tells. */
export const enum Tell {
  /** First of all: the version (1 byte), then the host's name servers as endpoints. */
  Hello = 1,
  Connected = 2,
  Data = 3,
  /** The other side sends no more. */
  Ended = 4,
  /** It is over: index of the reason in {@link FAILURES}, or 255 if both sides ended it. */
  Closed = 5,
  /** So many bytes of a connection were handed to the system (4 bytes). */
  Taken = 6,
  /** Datagram from an endpoint: the endpoint, then the bytes. */
  Datagram = 7,
  UdpFailed = 8,
  /** An answer to a question: texts. */
  Answer = 9,
  /** Nobody could be asked. */
  NoAnswer = 10,
}

export const FAILURES: readonly SocketFailure[] = ["refused", "reset", "unreachable", "timeout", "failed"];
export const NO_FAILURE = 255;

/** Most bytes of a connection under way in one direction that nobody has taken. */
export const WINDOW = 1 << 20;
/** Most bytes in a frame of data. */
export const MAX_DATA = 1 << 16;

const HEADER = 5;
const MAX_TEXT = 255;

/** Builds a frame. */
export class FrameWriter {
  private bytes: Uint8Array<ArrayBuffer>;
  private length = HEADER;

  constructor(kind: Ask | Tell, id: number, capacity = 64) {
    this.bytes = new Uint8Array(HEADER + capacity);
    this.bytes[0] = kind;
    new DataView(this.bytes.buffer).setUint32(1, id);
  }

  u8(value: number): this {
    this.grow(1)[this.length++] = value;
    return this;
  }

  u16(value: number): this {
    return this.u8(value >> 8).u8(value & 0xff);
  }

  u32(value: number): this {
    return this.u16(value >>> 16).u16(value & 0xffff);
  }

  /** Text; what does not fit is cut off. */
  text(value: string): this {
    const length = Math.min(value.length, MAX_TEXT);
    this.u8(length);
    for (let i = 0; i < length; i++) this.u8(value.charCodeAt(i) & 0xff);
    return this;
  }

  endpoint({ address, port }: Endpoint): this {
    return this.u16(port).text(address);
  }

  data(bytes: Uint8Array): this {
    this.grow(bytes.length).set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length);
  }

  private grow(more: number): Uint8Array {
    if (this.length + more > this.bytes.length) {
      const larger = new Uint8Array(2 * (this.length + more));
      larger.set(this.bytes);
      this.bytes = larger;
    }
    return this.bytes;
  }
}

/** Takes a frame apart. What is missing at its end reads as zeros and sets {@link short}. */
export class FrameReader {
  readonly kind: number;
  readonly id: number;
  /** The frame has ended too early. */
  short: boolean;
  private at = HEADER;

  constructor(private readonly bytes: Uint8Array) {
    this.short = bytes.length < HEADER;
    this.kind = this.short ? 0 : bytes[0];
    this.id = this.short ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
  }

  /** Whether there is more. */
  get more(): boolean {
    return this.at < this.bytes.length;
  }

  u8(): number {
    if (!this.more) {
      this.short = true;
      return 0;
    }
    return this.bytes[this.at++];
  }

  u16(): number {
    return (this.u8() << 8) | this.u8();
  }

  u32(): number {
    return this.u16() * 0x1_0000 + this.u16();
  }

  text(): string {
    let text = "";
    for (let left = this.u8(); left > 0 && !this.short; left--) text += String.fromCharCode(this.u8());
    return text;
  }

  endpoint(): Endpoint {
    const port = this.u16();
    return { port, address: this.text() };
  }

  /** All the rest. It is part of the frame. */
  rest(): Uint8Array {
    const rest = this.bytes.subarray(this.at);
    this.at = this.bytes.length;
    return rest;
  }
}
