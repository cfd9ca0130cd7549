// SPDX-License-Identifier: Apache-2.0
import { getServers, lookup, reverse } from "node:dns/promises";
import { createServer, isIPv6, type Server } from "node:net";
import { OperatorError } from "@isola/base";
import type { Endpoint, HostNetwork, Listener, Resolver } from "@isola/ports";
import { NodeTcpConnection } from "./tcp-connection.js";
import { NodeUdpSocket } from "./udp-socket.js";

const DNS_PORT = 53;
/** Answers of the resolver that mean "there is no such name", rather than "nobody could be asked". */
const NO_SUCH_NAME = new Set(["ENOTFOUND", "ENODATA", "ENONAME"]);
const REASONS: { readonly [code: string]: string } = {
  EADDRINUSE: "another program has it",
  EACCES: "ports below 1024 need privileges",
  EADDRNOTAVAIL: "this host does not have that address",
};

async function orNone(asked: Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await asked;
  } catch (error) {
    if (NO_SUCH_NAME.has((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
}

/** The system's resolver, which knows /etc/hosts too. */
const resolver: Resolver = {
  addresses: (name) =>
    orNone(lookup(name, { all: true, order: "verbatim" }).then((found) => found.map(({ address }) => address))),
  names: (address) => orNone(reverse(address)),
  servers: () =>
    getServers().map((text) => {
      const withPort = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(text);
      if (withPort === null) return { address: text, port: DNS_PORT };
      return { address: withPort[1] ?? withPort[2] ?? text, port: Number(withPort[3]) };
    }),
};

function listenError({ address, port }: Endpoint, protocol: string, error: NodeJS.ErrnoException): OperatorError {
  const reason = REASONS[error.code ?? ""] ?? error.message;
  const where = isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
  return new OperatorError("port-not-available", `cannot publish ${where}/${protocol}: ${reason}`, { cause: error });
}

function listenerOf(server: Server): Listener {
  const bound = server.address();
  const endpoint =
    typeof bound === "object" && bound !== null
      ? { address: bound.address, port: bound.port }
      : { address: "", port: 0 };
  return { endpoint, close: () => server.close() };
}

/** The sockets of this process. */
export const nodeNetwork: HostNetwork = {
  resolver,

  connect: (to, events) => NodeTcpConnection.connect(to, events),

  listen(at, accept) {
    return new Promise((resolve, reject) => {
      const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
        const { remoteAddress, remotePort } = socket;
        // It may be gone by now.
        if (remoteAddress === undefined || remotePort === undefined) return void socket.destroy();
        const connection = new NodeTcpConnection(socket);
        connection.attach(accept(connection, { address: remoteAddress, port: remotePort }));
      });
      server.once("error", (error) => reject(listenError(at, "tcp", error)));
      server.listen({ host: at.address, port: at.port, ipv6Only: isIPv6(at.address) }, () => {
        // Out of descriptors, for one: those who try to connect wait, and nobody else is concerned.
        server.on("error", () => {});
        resolve(listenerOf(server));
      });
    });
  },

  openUdp(family, events) {
    return new NodeUdpSocket(family, events);
  },

  bindUdp(at, events) {
    return new Promise((resolve, reject) => {
      const udp = new NodeUdpSocket(isIPv6(at.address) ? 6 : 4, events);
      const refuse = (error: NodeJS.ErrnoException) => reject(listenError(at, "udp", error));
      udp.socket.prependOnceListener("error", refuse);
      udp.socket.bind(at.port, at.address, () => {
        udp.socket.off("error", refuse);
        resolve(udp);
      });
    });
  },
};
