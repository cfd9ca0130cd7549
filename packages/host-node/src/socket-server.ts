// SPDX-License-Identifier: Apache-2.0
import { createServer, type Server, type Socket } from "node:net";
import { OperatorError } from "@isola/base";
import { removeStaleSocket, whileOwnerOnly } from "./unix-socket.js";

/** Where a server listens: a TCP port, or a Unix domain socket. */
export type SocketAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** The server's side of a connection. */
export interface SocketConnection {
  send(bytes: Uint8Array): void;
  /** Bytes that were sent and have not left yet. */
  readonly backlog: number;
  /** Closes it once everything has been sent. */
  end(): void;
}

/** What becomes of a connection. */
export interface SocketHandler {
  receive(bytes: Uint8Array): void;
  /** It has ended; called once. */
  closed(): void;
}

/** Bytes not yet taken by the other side, beyond which nothing more is read from it. */
const MAX_BACKLOG = 1 << 20;

function describe(at: SocketAddress): string {
  return "path" in at ? at.path : `${at.host.includes(":") ? `[${at.host}]` : at.host}:${at.port}`;
}

/** Takes connections and hands their bytes on. */
export class SocketServer {
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly at: SocketAddress,
  ) {}

  /**
   * Listens at an address; a Unix domain socket is for its owner only.
   * @param accept returns null to refuse a connection
   * @throws OperatorError `port-not-available`
   */
  static async listen(
    at: SocketAddress,
    accept: (connection: SocketConnection) => SocketHandler | null,
  ): Promise<SocketServer> {
    if ("path" in at) await removeStaleSocket(at.path);
    return new Promise((resolve, reject) => {
      const node = createServer({ noDelay: true }, (socket) => server.connected(socket, accept));
      const server = new SocketServer(node, at);
      node.once("error", (error: NodeJS.ErrnoException) =>
        reject(
          new OperatorError("port-not-available", `cannot listen at ${describe(at)}: ${error.message}`, {
            cause: error,
          }),
        ),
      );
      whileOwnerOnly(() =>
        node.listen("path" in at ? { path: at.path } : { host: at.host, port: at.port }, () => {
          node.on("error", () => {});
          resolve(server);
        }),
      );
    });
  }

  /** Where it listens, as text; with the port that the system chose if 0 was asked for. */
  get address(): string {
    const bound = this.server.address();
    return typeof bound === "object" && bound !== null
      ? describe({ host: bound.address, port: bound.port })
      : describe(this.at);
  }

  /** Takes no more connections, and ends those there are. */
  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.end();
  }

  private connected(socket: Socket, accept: (connection: SocketConnection) => SocketHandler | null): void {
    const handler = accept({
      send(bytes) {
        if (!socket.writable) return;
        if (!socket.write(bytes) && socket.writableLength > MAX_BACKLOG) socket.pause();
      },
      get backlog() {
        return socket.writableLength;
      },
      end: () => void socket.end(),
    });
    if (handler === null) return void socket.destroy();
    this.sockets.add(socket);
    socket.on("data", (bytes: Buffer) => handler.receive(bytes));
    socket.on("drain", () => socket.resume());
    // What matters of an error is that the connection ends, which comes as "close".
    socket.on("error", () => {});
    socket.on("close", () => {
      this.sockets.delete(socket);
      handler.closed();
    });
  }
}
