// SPDX-License-Identifier: Apache-2.0
import type { Duplex } from "node:stream";
import type { VsockEvents, VsockFailure, VsockStream } from "@isola/ports";

/**
 * Joins a stream of the guest with a socket of the host. Each direction ends on its own, and neither side sends more than
 * the other takes.
 */
export class VsockPipe implements VsockEvents {
  private socket: Duplex | null = null;
  private stream: VsockStream | null = null;
  /** What came before there was a socket; the guest's credit bounds it. */
  private early: Uint8Array[] = [];
  private earlyEnd = false;
  private over: { readonly failure: VsockFailure | null } | null = null;
  /** What the guest had no room for; the socket is paused as long as there is some. */
  private waiting: Buffer | null = null;
  private socketEnded = false;

  /** @param opened the guest has accepted, or refused */
  constructor(private readonly opened: (failure: VsockFailure | null) => void = () => {}) {}

  /** The guest's side; to be called once, before anything happens on it. */
  attachStream(stream: VsockStream): void {
    this.stream = stream;
  }

  /** The host's side; to be called once. It may still be connecting. */
  attachSocket(socket: Duplex): void {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => this.send(bytes));
    socket.on("end", () => {
      this.socketEnded = true;
      if (this.waiting === null) this.stream?.end();
    });
    // What matters of an error is that the socket closes.
    socket.on("error", () => {});
    socket.on("close", () => {
      if (!(socket.readableEnded && socket.writableFinished)) this.stream?.abort();
    });
    for (const bytes of this.early) this.data(bytes);
    this.early = [];
    if (this.over !== null) this.finish(this.over.failure);
    else if (this.earlyEnd) socket.end();
  }

  connected(): void {
    this.opened(null);
  }

  data(bytes: Uint8Array): void {
    const { socket } = this;
    if (socket === null) this.early.push(bytes);
    else if (socket.writable) socket.write(bytes, () => this.stream?.taken(bytes.length));
    else this.stream?.taken(bytes.length);
  }

  ended(): void {
    this.earlyEnd = true;
    this.socket?.end();
  }

  writable(): void {
    const { waiting } = this;
    if (waiting === null) return;
    this.waiting = null;
    this.send(waiting);
    if (this.waiting !== null) return;
    if (this.socketEnded) this.stream?.end();
    else this.socket?.resume();
  }

  closed(failure: VsockFailure | null): void {
    this.over = { failure };
    this.opened(failure ?? "reset");
    this.finish(failure);
  }

  private finish(failure: VsockFailure | null): void {
    if (failure === null) this.socket?.end();
    else this.socket?.destroy();
  }

  private send(bytes: Buffer): void {
    const taken = this.stream?.write(bytes) ?? bytes.length;
    if (taken === bytes.length) return;
    this.waiting = bytes.subarray(taken);
    this.socket?.pause();
  }
}
