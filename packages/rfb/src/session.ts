// SPDX-License-Identifier: Apache-2.0
// The Remote Framebuffer Protocol 3.8 (RFC 6143) on the server's side: what VNC viewers speak.
import type { Entropy, InputSink, ScreenSource } from "@isola/ports";
import { ByteQueue, bytes16, bytes32, u16, u32 } from "./byte-queue.js";
import { changedParts } from "./damage.js";
import { type Compress, encodeRaw, type Frame, join, type Rectangle, ZrleEncoder } from "./encodings.js";
import { Handshake } from "./handshake.js";
import { scanCodeOf, scanCodeOfExtended } from "./keysyms.js";
import { decodeFormat, NATIVE_FORMAT, PixelEncoder } from "./pixel-format.js";
import { Pointer } from "./pointer.js";

const ENCODING_RAW = 0;
const ENCODING_ZRLE = 16;
const PSEUDO_DESKTOP_SIZE = -223;
const PSEUDO_EXTENDED_KEYS = -258;

const enum ClientMessage {
  SetPixelFormat = 0,
  SetEncodings = 2,
  UpdateRequest = 3,
  Key = 4,
  Pointer = 5,
  CutText = 6,
  Qemu = 255,
}

/** Size of a screen that is switched off from the start. */
const DARK = { width: 640, height: 480 };
const BLACK = 0xff00_0000;
/** Text of a clipboard beyond which a client is left. */
const MAX_CUT_TEXT = 1 << 20;
/** RFB has 16 bits for sizes. */
const MAX_SIDE = 0xffff;

export interface RfbPorts {
  readonly screen: ScreenSource;
  readonly input: InputSink;
  readonly entropy: Entropy;
  readonly compress: Compress;
  /** Null lets everybody in who can connect; of a password the first eight bytes count. */
  readonly password: Uint8Array | null;
  /** Shown in the title of viewers. */
  readonly name: string;
  readonly send: (bytes: Uint8Array) => void;
  /** Bytes that were sent and have not left yet. */
  readonly backlog: () => number;
  /** The client is to be left, once everything has been sent. */
  readonly onDone: () => void;
}

/** No new picture is made for a client that has not taken this much of the last one. */
const MAX_BACKLOG = 1 << 16;

/**
 * One viewer. Calls come from its connection ({@link receive}) and from a timer ({@link refresh}); whatever a viewer
 * sends, nothing is thrown.
 */
export class RfbSession {
  private readonly queue = new ByteQueue();
  private readonly handshake: Handshake;
  private readonly pointer: Pointer;
  private readonly zrle: ZrleEncoder;
  private encoder = new PixelEncoder(NATIVE_FORMAT);
  private encodings: readonly number[] = [];
  private greeted = false;
  private over = false;
  /** Size that the client knows. */
  private size: { readonly width: number; readonly height: number };
  /** What the client has seen; null if it has to be sent everything. */
  private seen: Frame | null = null;
  private request: { readonly area: Rectangle; readonly incremental: boolean } | null = null;
  private readonly held = new Set<number>();

  constructor(private readonly ports: RfbPorts) {
    const { width, height } = ports.screen.picture() ?? DARK;
    this.size = { width, height };
    this.pointer = new Pointer(ports.input);
    this.zrle = new ZrleEncoder(ports.compress);
    this.handshake = new Handshake({
      entropy: ports.entropy,
      password: ports.password,
      name: ports.name,
      size: () => this.size,
      send: (bytes) => ports.send(Uint8Array.from(bytes)),
    });
  }

  /** Takes bytes from the connection. */
  receive(bytes: Uint8Array): void {
    if (this.over) return;
    this.queue.push(bytes);
    if (!this.greeted) {
      const state = this.handshake.advance(this.queue);
      if (state === "failed") return this.leave();
      if (state === "waiting") return;
      this.greeted = true;
    }
    while (!this.over && this.message()) this.refreshNow();
  }

  /** To be called some times a second: answers a client that waits for a change. */
  refresh(): void {
    if (this.over || this.request === null || this.ports.backlog() > MAX_BACKLOG) return;
    const frame = this.frame();
    const resized = frame.width !== this.size.width || frame.height !== this.size.height;
    if (resized) {
      if (!this.encodings.includes(PSEUDO_DESKTOP_SIZE)) return this.answer(cropped(frame, this.size));
      this.size = { width: frame.width, height: frame.height };
      this.seen = null;
      this.request = null;
      return this.sendUpdate([
        { area: { x: 0, y: 0, ...this.size }, encoding: PSEUDO_DESKTOP_SIZE, data: new Uint8Array() },
      ]);
    }
    this.answer(frame);
  }

  /** The connection has ended: keys that were down go up. */
  close(): void {
    this.over = true;
    for (const code of this.held) this.ports.input.key(code, false);
    this.held.clear();
  }

  private leave(): void {
    this.over = true;
    this.ports.onDone();
  }

  /** A client that asks for everything is not made to wait. */
  private refreshNow(): void {
    if (this.request !== null && !this.request.incremental) this.refresh();
  }

  /** Takes one message; false if it is not there as a whole. */
  private message(): boolean {
    const { queue } = this;
    if (queue.length === 0) return false;
    switch (queue.peek(0)) {
      case ClientMessage.SetPixelFormat:
        return this.withBytes(20, (bytes) => this.setFormat(bytes.subarray(4)));
      case ClientMessage.SetEncodings:
        if (queue.length < 4) return false;
        return this.withBytes(4 + 4 * ((queue.peek(2) << 8) | queue.peek(3)), (bytes) => this.setEncodings(bytes));
      case ClientMessage.UpdateRequest:
        return this.withBytes(10, (bytes) => this.requestUpdate(bytes));
      case ClientMessage.Key:
        return this.withBytes(8, (bytes) => this.key(scanCodeOf(u32(bytes, 4)), bytes[1] !== 0));
      case ClientMessage.Pointer:
        return this.withBytes(6, (bytes) => this.pointer.move(u16(bytes, 2), u16(bytes, 4), bytes[1] ?? 0, this.size));
      case ClientMessage.CutText: {
        if (queue.length < 8) return false;
        const length = [4, 5, 6, 7].reduce((sum, at) => sum * 256 + queue.peek(at), 0);
        if (length > MAX_CUT_TEXT) {
          this.leave();
          return false;
        }
        return this.withBytes(8 + length, () => {});
      }
      case ClientMessage.Qemu:
        return this.withBytes(12, (bytes) => this.extendedKey(bytes));
      default:
        this.leave();
        return false;
    }
  }

  private withBytes(length: number, act: (bytes: Uint8Array) => void): boolean {
    const bytes = this.queue.take(length);
    if (bytes !== null) act(bytes);
    return bytes !== null;
  }

  private setFormat(bytes: Uint8Array): void {
    const format = decodeFormat(bytes);
    if (format === null) return this.leave();
    this.encoder = new PixelEncoder(format);
    this.seen = null;
  }

  private setEncodings(bytes: Uint8Array): void {
    this.encodings = Array.from({ length: (bytes.length - 4) / 4 }, (_, i) => u32(bytes, 4 + 4 * i) | 0);
    if (!this.encodings.includes(PSEUDO_EXTENDED_KEYS)) return;
    // An empty rectangle of that encoding says that the server takes such events.
    const area = { x: 0, y: 0, width: 0, height: 0 };
    this.sendUpdate([{ area, encoding: PSEUDO_EXTENDED_KEYS, data: new Uint8Array() }]);
  }

  private requestUpdate(bytes: Uint8Array): void {
    const x = Math.min(u16(bytes, 2), this.size.width);
    const y = Math.min(u16(bytes, 4), this.size.height);
    const width = Math.min(u16(bytes, 6), this.size.width - x);
    const height = Math.min(u16(bytes, 8), this.size.height - y);
    const incremental = bytes[1] !== 0 && (this.request?.incremental ?? true);
    this.request = { area: { x, y, width, height }, incremental };
  }

  private extendedKey(bytes: Uint8Array): void {
    if (bytes[1] !== 0) return this.leave();
    this.key(scanCodeOfExtended(u32(bytes, 8)) ?? scanCodeOf(u32(bytes, 4)), u16(bytes, 2) !== 0);
  }

  private key(code: number | null, pressed: boolean): void {
    if (code === null) return;
    if (pressed) this.held.add(code);
    else this.held.delete(code);
    this.ports.input.key(code, pressed);
  }

  /** What the screen shows; black in the last size while it is off. */
  private frame(): Frame {
    const picture = this.ports.screen.picture();
    if (picture === null || picture.width > MAX_SIDE || picture.height > MAX_SIDE) {
      const { width, height } = this.size;
      return { width, height, pixels: new Uint32Array(width * height).fill(BLACK) };
    }
    const { width, height, pixels } = picture;
    // Pictures may lie anywhere in a buffer, and are not to change under the comparison with the next one.
    return { width, height, pixels: new Uint32Array(pixels.slice(0, width * height * 4).buffer) };
  }

  /** Sends what has changed of a frame in the client's size, if anything has. */
  private answer(frame: Frame): void {
    if (this.request === null) return;
    const { area, incremental } = this.request;
    const everything = !incremental || this.seen === null;
    const parts = everything ? [area] : changedParts(this.seen ?? frame, frame, area);
    const wanted = parts.filter(({ width, height }) => width > 0 && height > 0);
    if (wanted.length === 0 && incremental) return;
    const encoding = this.encodings.find((one) => one === ENCODING_ZRLE || one === ENCODING_RAW) ?? ENCODING_RAW;
    this.request = null;
    this.remember(frame, area);
    this.sendUpdate(
      wanted.map((part) => ({
        area: part,
        encoding,
        data:
          encoding === ENCODING_ZRLE
            ? this.zrle.encode(frame, part, this.encoder)
            : encodeRaw(frame, part, this.encoder),
      })),
    );
  }

  /** Notes what the client has now: outside the area that it asked for, what it had before. */
  private remember(frame: Frame, area: Rectangle): void {
    const whole = area.width === frame.width && area.height === frame.height;
    const old = this.seen;
    if (whole) this.seen = frame;
    // A part of the screen is all that it has: the next answer is whole again.
    else if (old === null) return;
    else {
      const pixels = old.pixels.slice();
      for (let row = area.y; row < area.y + area.height; row++) {
        const start = row * frame.width + area.x;
        pixels.set(frame.pixels.subarray(start, start + area.width), start);
      }
      this.seen = { ...frame, pixels };
    }
  }

  private sendUpdate(
    rectangles: readonly { readonly area: Rectangle; readonly encoding: number; readonly data: Uint8Array }[],
  ): void {
    const parts = rectangles.flatMap(({ area: { x, y, width, height }, encoding, data }) => [
      Uint8Array.from([...bytes16(x, y, width, height), ...bytes32(encoding)]),
      data,
    ]);
    this.ports.send(join([Uint8Array.from([0, 0, ...bytes16(rectangles.length)]), ...parts]));
  }
}

/** A frame in another size: what is beyond it is cut off, what is missing is black. */
function cropped(frame: Frame, { width, height }: { readonly width: number; readonly height: number }): Frame {
  const pixels = new Uint32Array(width * height).fill(BLACK);
  const columns = Math.min(width, frame.width);
  for (let row = 0; row < Math.min(height, frame.height); row++)
    pixels.set(frame.pixels.subarray(row * frame.width, row * frame.width + columns), row * width);
  return { width, height, pixels };
}
