// SPDX-License-Identifier: Apache-2.0

/** An IP address in text ("192.0.2.1", "2001:db8::1") and a port of TCP or UDP. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Why the host could not do what was asked with a socket. */
export type SocketFailure =
  /** The other side said no. */
  | "refused"
  /** An established connection was reset. */
  | "reset"
  /** There is no way to that address. */
  | "unreachable"
  | "timeout"
  /** Anything else: the system's limits, permissions. */
  | "failed";

/** What happens on a TCP connection of the host. After `closed` nothing more is called. */
export interface TcpEvents {
  /** The connection stands; not called for accepted ones. */
  connected(): void;
  /** Bytes in order, good only until the call returns. */
  data(bytes: Uint8Array): void;
  /** The other side sends no more. */
  ended(): void;
  /** Something that was written has been handed to the system. */
  drained(): void;
  /** It is over; null if both sides ended it. */
  closed(failure: SocketFailure | null): void;
}

/** A TCP connection of the host. Methods may be called at any time and do nothing after its end. */
export interface TcpConnection {
  /** Bytes written that the system has not taken yet. */
  readonly unsent: number;
  /** Takes all of `bytes`, which the caller must not change afterwards. */
  write(bytes: Uint8Array): void;
  /** Sends no more after what was written. */
  end(): void;
  /** Stops and restarts `data`; a piece under way may still come. */
  pause(): void;
  resume(): void;
  /** Resets the connection and forgets it; no event follows. */
  abort(): void;
}

/** A socket of the host that was opened for others to reach. */
export interface Listener {
  readonly endpoint: Endpoint;
  close(): void;
}

/** A UDP socket of the host on a port that the system chose, or a fixed one. */
export interface UdpSocket {
  /** Sends a datagram; one that cannot be sent is lost. The caller may reuse `bytes`. */
  send(bytes: Uint8Array, to: Endpoint): void;
  close(): void;
}

export interface UdpEvents {
  /** A datagram arrived. The callee may keep the array. */
  datagram(bytes: Uint8Array, from: Endpoint): void;
  /** The socket is of no more use. */
  failed(): void;
}

/** Names as the host knows them. */
export interface Resolver {
  /** All addresses of a name, IPv4 and IPv6, in the host's order; none if it has none. Rejects if nobody could be asked. */
  addresses(name: string): Promise<readonly string[]>;
  /** Names of an address. */
  names(address: string): Promise<readonly string[]>;
  /** Name servers that the host is configured for, with their port. */
  servers(): readonly Endpoint[];
}

/** The host's sockets, for a network that needs no privileges. Nothing here throws: failures come as events. */
export interface HostNetwork {
  readonly resolver: Resolver;
  connect(to: Endpoint, events: TcpEvents): TcpConnection;
  /**
   * Listens at `at`. `accept` gets each connection, paused, with the address it comes from, and returns where its events
   * go. Rejects with an OperatorError if the system does not allow it.
   */
  listen(at: Endpoint, accept: (connection: TcpConnection, from: Endpoint) => TcpEvents): Promise<Listener>;
  /** Opens a socket for datagrams to and from hosts of one family. */
  openUdp(family: 4 | 6, events: UdpEvents): UdpSocket;
  /** A UDP socket on a fixed address. Rejects with an OperatorError if the system does not allow it. */
  bindUdp(at: Endpoint, events: UdpEvents): Promise<UdpSocket>;
}
