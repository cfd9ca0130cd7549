// SPDX-License-Identifier: Apache-2.0
import { connect, type Socket } from "node:net";
import type { Endpoint, SocketFailure, TcpConnection, TcpEvents } from "@isola/ports";

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

/** Most bytes read at a time. All sockets share the buffer, because nobody keeps what is in it. */
const READ_BUFFER = new Uint8Array(1 << 18);

/** A TCP socket of Node as the ports describe one. */
export class NodeTcpConnection implements TcpConnection {
  private failure: SocketFailure | null = null;
  private over = false;
  private events: TcpEvents | null = null;
  private readonly written = () => {
    if (!this.over) this.events?.drained();
  };

  /** Connects to `to`. Reads go through one large buffer, which spares the work of many small ones. */
  static connect({ address, port }: Endpoint, events: TcpEvents): NodeTcpConnection {
    const socket = connect({
      host: address,
      port,
      allowHalfOpen: true,
      noDelay: true,
      onread: {
        buffer: READ_BUFFER,
        callback(length) {
          connection.received(READ_BUFFER.subarray(0, length));
          return true;
        },
      },
    });
    const connection = new NodeTcpConnection(socket);
    return connection.attach(events);
  }

  /** @param socket made with `allowHalfOpen` */
  constructor(private readonly socket: Socket) {
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
    socket.on("data", (bytes: Buffer) => this.received(bytes));
    socket.on("end", () => alive() && events.ended());
    return this;
  }

  private received(bytes: Uint8Array): void {
    if (!this.over) this.events?.data(bytes);
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
