// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { OperatorError } from "@isola/base";
import { listenForOwner } from "@isola/host-node";
import { StateError } from "@isola/vmm";
import { boundedBytes } from "./bounded-bytes.js";
import type { ControlTarget } from "./control-target.js";
import { RequestError } from "./messages.js";
import { type Reply, Routes } from "./routes.js";
import type { ClaimedName } from "./runtime-directory.js";

/** A request's body may not be longer; the longest is a list of input events. */
const MAX_BODY = 1 << 20;
/** Connections beyond this are refused. */
const MAX_CONNECTIONS = 256;

/** HTTP status of an error (RFC 9110, section 15.5). */
function statusOf(error: unknown): number {
  if (error instanceof RequestError) return 400;
  if (error instanceof StateError) return 409;
  if (error instanceof OperatorError) return error.code === "no-such-route" ? 404 : 422;
  return 500;
}

/** An error as a problem document (RFC 9457). */
function problem(error: unknown): Reply {
  const status = statusOf(error);
  const code = error instanceof OperatorError ? error.code : "internal-error";
  const detail = error instanceof Error ? error.message : String(error);
  return {
    status,
    type: "application/problem+json",
    body: Buffer.from(`${JSON.stringify({ status, code, detail })}\n`),
  };
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const tooLong = () => new RequestError(`the request is longer than ${MAX_BODY} bytes`);
  const body = await boundedBytes(request, MAX_BODY, tooLong);
  if (body.length === 0) return null;
  try {
    return JSON.parse(body.toString("utf8")) as unknown;
  } catch {
    throw new RequestError("the request is not JSON");
  }
}

/**
 * Lets other processes of this user look at and steer a machine: HTTP/1.1 over a Unix socket. A request never throws
 * into the machine.
 */
export class ControlServer {
  private readonly routes: Routes;
  private readonly streams = new Set<Duplex>();

  private constructor(
    private readonly server: Server,
    private readonly claim: ClaimedName,
    target: ControlTarget,
  ) {
    this.routes = new Routes(target, claim.name);
    server.maxConnections = MAX_CONNECTIONS;
    server.on("request", (request, response) => void this.answer(request, response));
    server.on("upgrade", (request, socket: Duplex, head: Buffer) => void this.upgrade(request, socket, head));
  }

  /**
   * Listens under a claimed name, which is released by {@link close}. Until then the process stays alive, even if its
   * machine is paused and nothing else is due. Throws OperatorError `port-not-available`.
   */
  static async listen(claim: ClaimedName, target: ControlTarget): Promise<ControlServer> {
    const server = createServer();
    const control = new ControlServer(server, claim, target);
    await listenForOwner(server, claim.socket);
    return control;
  }

  /** Answers what is under way, ends streams and gives the name back. */
  close(): void {
    this.server.close();
    this.server.closeIdleConnections();
    for (const stream of this.streams) stream.end();
    this.claim.release();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let reply: Reply;
    try {
      reply = await this.routes.answer(request.method ?? "", request.url ?? "", await readBody(request));
    } catch (error) {
      reply = problem(error);
    }
    // Whoever asked may be gone by now.
    response.on("error", () => {});
    response.writeHead(reply.status, {
      "content-type": reply.type,
      "content-length": reply.body.length,
      connection: "close",
    });
    response.end(reply.body);
  }

  /** Turns the connection into a stream of plain bytes in both directions. */
  private async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on("error", () => {});
    this.streams.add(socket);
    socket.on("close", () => this.streams.delete(socket));
    try {
      const attach = await this.routes.stream(request.url ?? "");
      socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: isola-stream\r\n\r\n");
      if (head.length > 0) socket.unshift(head);
      attach(socket);
    } catch (error) {
      const { status, type, body } = problem(error);
      const headers = `HTTP/1.1 ${status} Refused\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n`;
      socket.end(`${headers}connection: close\r\n\r\n${body.toString("utf8")}`);
    }
  }
}
