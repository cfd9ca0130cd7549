// SPDX-License-Identifier: Apache-2.0
import type { Endpoint, HostNetwork, TcpConnection, TcpEvents, UdpEvents, UdpSocket } from "@isola/ports";

/** A connection of a host that exists in the test only. */
export class FakeConnection implements TcpConnection {
  unsent = 0;
  written: Uint8Array[] = [];
  ended = false;
  paused = false;
  aborted = false;
  constructor(
    readonly to: Endpoint,
    public events: TcpEvents | null,
  ) {}

  write(bytes: Uint8Array): void {
    this.written.push(bytes);
  }
  end(): void {
    this.ended = true;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  abort(): void {
    this.aborted = true;
  }
}

export class FakeUdp implements UdpSocket {
  sent: { bytes: Uint8Array; to: Endpoint }[] = [];
  closed = false;
  constructor(readonly events: UdpEvents) {}

  send(bytes: Uint8Array, to: Endpoint): void {
    this.sent.push({ bytes: bytes.slice(), to });
  }
  close(): void {
    this.closed = true;
  }
}

/** A host whose sockets the test plays. */
export class FakeHost implements HostNetwork {
  connections: FakeConnection[] = [];
  sockets: FakeUdp[] = [];
  listeners: { at: Endpoint; accept: (connection: TcpConnection, from: Endpoint) => TcpEvents }[] = [];
  names: { [name: string]: readonly string[] } = {};
  readonly resolver = {
    addresses: (name: string) =>
      name === "broken.test" ? Promise.reject(new Error("nobody there")) : Promise.resolve(this.names[name] ?? []),
    names: (address: string) => Promise.resolve(address === "192.0.2.1" ? ["one.test"] : []),
    servers: () => [{ address: "192.0.2.53", port: 53 }],
  };

  connect(to: Endpoint, events: TcpEvents): TcpConnection {
    const connection = new FakeConnection(to, events);
    this.connections.push(connection);
    return connection;
  }

  listen(at: Endpoint, accept: (connection: TcpConnection, from: Endpoint) => TcpEvents) {
    this.listeners.push({ at, accept });
    return Promise.resolve({ endpoint: at, close: () => {} });
  }

  openUdp(_family: 4 | 6, events: UdpEvents): UdpSocket {
    const socket = new FakeUdp(events);
    this.sockets.push(socket);
    return socket;
  }

  bindUdp(_at: Endpoint, events: UdpEvents): Promise<UdpSocket> {
    return Promise.resolve(this.openUdp(4, events));
  }
}
