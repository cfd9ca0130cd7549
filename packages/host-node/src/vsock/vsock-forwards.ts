// SPDX-License-Identifier: Apache-2.0
import { connect, createServer, type Server, type Socket } from "node:net";
import { OperatorError } from "@isola/base";
import type { VsockDialer, VsockEvents, VsockListener, VsockStream } from "@isola/ports";
import { listenForOwner, removeStaleSocket } from "../unix-socket.js";
import { VsockPipe } from "./vsock-pipe.js";

/** A vsock port, and a Unix socket of the host at which it goes on. */
export interface VsockForward {
  readonly port: number;
  readonly path: string;
  /** `to-host`: the guest connects, and a program of the host listens. `to-guest`: the other way round. */
  readonly direction: "to-host" | "to-guest";
}

/** Connects to a port of the guest. Rejects with an OperatorError: `no-vsock` or `vsock-refused`. */
export function dialVsock(dialer: VsockDialer, port: number): Promise<VsockPipe> {
  return new Promise((resolve, reject) => {
    const pipe = new VsockPipe((failure) => {
      if (failure === null) resolve(pipe);
      else reject(new OperatorError("vsock-refused", `nothing in the guest listens at vsock port ${port}`));
    });
    const stream = dialer.dial(port, pipe);
    if (stream === null)
      reject(new OperatorError("no-vsock", "the machine has no vsock device, or its guest has not set it up (yet)"));
    else pipe.attachStream(stream);
  });
}

/** Leads vsock ports of the host to Unix sockets at which programs of the host listen. */
export class VsockToHost implements VsockListener {
  private readonly paths: ReadonlyMap<number, string>;

  constructor(forwards: readonly VsockForward[]) {
    this.paths = new Map(forwards.filter(({ direction }) => direction === "to-host").map((f) => [f.port, f.path]));
  }

  accept(port: number, stream: VsockStream): VsockEvents | null {
    const path = this.paths.get(port);
    if (path === undefined) return null;
    const pipe = new VsockPipe();
    pipe.attachStream(stream);
    pipe.attachSocket(connect({ path, allowHalfOpen: true }));
    return pipe;
  }
}

/** Listens at Unix sockets and leads each connection to a vsock port of the guest; closed by {@link close}. */
export class VsockToGuest {
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly servers: readonly Server[]) {}

  /** Opens all of them, or none. Throws OperatorError `port-not-available`. */
  static async listen(dialer: VsockDialer, forwards: readonly VsockForward[]): Promise<VsockToGuest> {
    const servers: Server[] = [];
    const all = new VsockToGuest(servers);
    try {
      for (const { port, path, direction } of forwards) {
        if (direction !== "to-guest") continue;
        await removeStaleSocket(path);
        const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
        server.on("connection", (socket) => all.connected(dialer, port, socket));
        await listenForOwner(server, path);
        servers.push(server);
      }
      return all;
    } catch (error) {
      all.close();
      throw error;
    }
  }

  /** Takes no more connections, and ends those there are. */
  close(): void {
    for (const server of this.servers) server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private connected(dialer: VsockDialer, port: number, socket: Socket): void {
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket));
    socket.on("error", () => {});
    dialVsock(dialer, port).then(
      (pipe) => {
        pipe.attachSocket(socket);
        socket.resume();
      },
      () => socket.destroy(),
    );
  }
}
