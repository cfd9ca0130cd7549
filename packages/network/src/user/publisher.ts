// SPDX-License-Identifier: Apache-2.0
import type { Endpoint, HostNetwork, Listener, TcpConnection, TcpEvents, UdpSocket } from "@isola/ports";
import { equal } from "../frame/bytes.js";
import type { IpAddress } from "../ip/address.js";
import type { PacketSender, UdpEndpoint } from "./packet-sender.js";

/** A port of the host that leads to a port of the guest. */
export interface PublishedPort {
  readonly protocol: "tcp" | "udp";
  /** Where the host listens. */
  readonly host: Endpoint;
  readonly guestPort: number;
}

/** A client of a published UDP port: the guest knows it by a port of the gateway. */
interface Client {
  readonly socket: UdpSocket;
  readonly endpoint: Endpoint;
  readonly guestPort: number;
  used: number;
}

const IDLE = 120e9;
const MAX_CLIENTS = 1024;
const FIRST_PORT = 61_000;
const PORTS = 4096;

/** Published ports: connections and datagrams that come to the host and go to the first guest. */
export class Publisher {
  private readonly listeners: Listener[] = [];
  private readonly sockets: UdpSocket[] = [];
  /** By the gateway's port. */
  private readonly clients = new Map<number, Client>();
  private readonly portOf = new Map<string, number>();
  private nextPort = 0;

  constructor(
    private readonly host: HostNetwork,
    private readonly ports: {
      /** Address of the guest. */
      guest(): IpAddress;
      readonly gateway: IpAddress;
      call(connection: TcpConnection, guest: UdpEndpoint): TcpEvents;
      readonly sender: PacketSender;
      now(): number;
      /** A datagram was sent to the guest. */
      settled(): void;
    },
  ) {}

  get busy(): boolean {
    return this.clients.size > 0;
  }

  async open({ protocol, host, guestPort }: PublishedPort): Promise<void> {
    const { ports } = this;
    if (protocol === "tcp") {
      const listener = await this.host.listen(host, (connection) =>
        ports.call(connection, { address: ports.guest(), port: guestPort }),
      );
      this.listeners.push(listener);
      return;
    }
    const socket = await this.host.bindUdp(host, {
      datagram: (bytes, from) => this.datagram(socket, from, guestPort, bytes),
      failed: () => {},
    });
    this.sockets.push(socket);
  }

  /** A datagram of a guest; true if it answers a client of a published port. */
  reply(from: UdpEndpoint, to: UdpEndpoint, data: Uint8Array): boolean {
    if (!equal(to.address, this.ports.gateway)) return false;
    const client = this.clients.get(to.port);
    if (client === undefined || client.guestPort !== from.port) return false;
    client.used = this.ports.now();
    client.socket.send(data, client.endpoint);
    return true;
  }

  tick(now: number): void {
    for (const [port, client] of this.clients) if (now - client.used > IDLE) this.forget(port, client);
  }

  close(): void {
    for (const listener of this.listeners) listener.close();
    for (const socket of this.sockets) socket.close();
    this.clients.clear();
    this.portOf.clear();
  }

  private datagram(socket: UdpSocket, from: Endpoint, guestPort: number, bytes: Uint8Array): void {
    const key = `${from.address} ${from.port} ${guestPort}`;
    const port = this.portOf.get(key) ?? this.admit(key, { socket, endpoint: from, guestPort, used: 0 });
    const client = this.clients.get(port);
    if (client === undefined) return;
    client.used = this.ports.now();
    const { sender, gateway, guest } = this.ports;
    sender.udp({ address: gateway, port }, { address: guest(), port: guestPort }, bytes);
    this.ports.settled();
  }

  private admit(key: string, client: Client): number {
    const oldest = this.clients.entries().next();
    if (this.clients.size >= MAX_CLIENTS && oldest.done !== true) this.forget(...oldest.value);
    let port: number;
    do port = FIRST_PORT + (this.nextPort++ % PORTS);
    while (this.clients.has(port));
    this.clients.set(port, client);
    this.portOf.set(key, port);
    return port;
  }

  private forget(port: number, { endpoint, guestPort }: Client): void {
    this.clients.delete(port);
    this.portOf.delete(`${endpoint.address} ${endpoint.port} ${guestPort}`);
  }
}
