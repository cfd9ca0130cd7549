// SPDX-License-Identifier: Apache-2.0
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import type { Endpoint, UdpEvents, UdpSocket } from "@isola/ports";

/** Datagrams under way to the system; what comes beyond them is lost. */
const MAX_QUEUED_BYTES = 1 << 20;

/** A UDP socket of Node as the ports describe one. */
export class NodeUdpSocket implements UdpSocket {
  readonly socket: Socket;
  private closed = false;

  constructor(family: 4 | 6, events: UdpEvents) {
    this.socket = createSocket({
      type: family === 4 ? "udp4" : "udp6",
      ipv6Only: family === 6,
      // Addresses are never names, and Node would wait a tick for each to find that out.
      lookup: (address, _options, found) => found(null, address, family),
    });
    this.socket.on("message", (bytes: Buffer, { address, port }: RemoteInfo) => {
      // A link-local sender's zone is of no use to anybody else.
      if (!this.closed) events.datagram(bytes, { address: address.split("%")[0] ?? address, port });
    });
    this.socket.on("error", () => {
      if (this.closed) return;
      this.close();
      events.failed();
    });
  }

  send(bytes: Uint8Array, { address, port }: Endpoint): void {
    if (this.closed || this.socket.getSendQueueSize() > MAX_QUEUED_BYTES) return;
    // With a callback, an error of one datagram is told to it and not to the socket. The bytes are kept until then.
    this.socket.send(Uint8Array.from(bytes), port, address, () => {});
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.socket.close();
  }
}
