// SPDX-License-Identifier: Apache-2.0
import type { Socket } from "node:net";
import type { SocketFailure, TcpConnection, TcpEvents } from "@isola/ports";

const FAILURES: { readonly [code: string]: SocketFailure } = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  EPIPE: "reset",
  ECONNABORTED: "reset",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  EADDRNOTAVAIL: "unreachable",
  EAFNOSUPPORT: "unreachable",
  EINVAL: "unreachable",
  ETIMEDOUT: "timeout",
};

/** A TCP socket of Node as the ports describe one. */
export class NodeTcpConnection implements TcpConnection {
  private failure: SocketFailure | null = null;
  private over = false;
  private events: TcpEvents | null = null;
  private readonly written = () => {
    if (!this.over) this.events?.drained();
  };

  /** @param socket made with `allowHalfOpen` */
  constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.failure = FAILURES[error.code ?? ""] ?? "failed";
    });
    socket.on("close", () => {
      if (this.over) return;
      this.over = true;
      this.events?.closed(this.failure);
    });
  }

  /** Tells `events` from now on. */
  attach(events: TcpEvents): this {
    this.events = events;
    const { socket } = this;
    const alive = () => !this.over;
    socket.on("connect", () => alive() && events.connected());
    socket.on("data", (bytes: Buffer) => alive() && events.data(bytes));
    socket.on("end", () => alive() && events.ended());
    return this;
  }

  get unsent(): number {
    return this.socket.writableLength;
  }

  write(bytes: Uint8Array): void {
    if (!this.over && this.socket.writable) this.socket.write(bytes, this.written);
  }

  end(): void {
    if (!this.over) this.socket.end();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  abort(): void {
    if (this.over) return;
    this.over = true;
    this.socket.resetAndDestroy();
  }
}
