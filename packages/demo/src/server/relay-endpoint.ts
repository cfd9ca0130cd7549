// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { nodeNetwork } from "@isola/host-node";
import { EgressPolicy, RelayServer } from "@isola/network";
import { type WebSocket, WebSocketServer } from "ws";
import type { DemoOptions } from "./options.js";

/** Larger messages are not part of the relay's protocol. */
const MAX_MESSAGE = 1 << 18;
const MAX_CLIENTS = 16;
/** WebSocket status codes (RFC 6455, 7.4.1). */
const PROTOCOL_ERROR = 1002;
const TRY_AGAIN_LATER = 1013;

/** The network relay: gives the sockets of this host to pages that were let through. */
export class RelayEndpoint {
  private readonly server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE, perMessageDeflate: false });
  private readonly policy: EgressPolicy;

  constructor(private readonly options: Pick<DemoOptions, "egress" | "allowByDefault" | "hostLoopback">) {
    this.policy = new EgressPolicy(options.egress, options.allowByDefault, () => performance.now() * 1e6);
  }

  /** Makes a request into a WebSocket. Whoever calls has checked where it comes from. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.server.handleUpgrade(request, socket, head, (client) => this.serve(client));
  }

  close(): void {
    for (const client of this.server.clients) client.terminate();
    this.server.close();
  }

  private serve(client: WebSocket): void {
    if (this.server.clients.size > MAX_CLIENTS) return client.close(TRY_AGAIN_LATER);
    const relay = new RelayServer({
      host: nodeNetwork,
      policy: this.policy,
      hostLoopback: this.options.hostLoopback,
      send: (message) => client.send(message),
      backlog: () => client.bufferedAmount,
    });
    client.on("message", (data, binary) => {
      const whole = binary && Buffer.isBuffer(data) && relay.receive(data);
      if (!whole) client.close(PROTOCOL_ERROR);
    });
    client.on("error", () => client.terminate());
    client.on("close", () => relay.close());
  }
}
