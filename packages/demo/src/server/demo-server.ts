// SPDX-License-Identifier: Apache-2.0
import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { OperatorError } from "@isola/base";
import { type Catalogue, CATALOGUE_PATH, type MissingMachine, type OfferedMachine } from "../catalogue.js";
import type { ServedFiles } from "./offers.js";
import type { DemoOptions } from "./options.js";
import { RelayEndpoint } from "./relay-endpoint.js";
import { serveFile } from "./serve-file.js";

const HOST = "127.0.0.1";
const RELAY_PATH = "/relay";
const TOKEN_PLACE = "@token@";
const REASONS: { readonly [code: string]: string } = {
  EADDRINUSE: "another program has it; choose another one by --port",
  EACCES: "ports below 1024 need privileges; choose another one by --port",
};

/**
 * Isolated from other origins, the page has exact clocks; and nobody else's script, frame or form gets at machines or at
 * the relay.
 */
const HEADERS = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    // The terminal makes its style sheet when it starts.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' blob: data:",
    "worker-src 'self'",
    "connect-src 'self' https: http:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
};

export interface DemoSite {
  readonly options: DemoOptions;
  /** May grow while the server runs. */
  readonly machines: readonly (OfferedMachine | MissingMachine)[];
  /** Files by their addresses. */
  readonly files: ServedFiles;
  /** Changes with the engine's modules and the worker's script. */
  readonly version: string;
  /** The page, with a place for the token. */
  readonly page: string;
}

/** Serves the page, what machines boot from, and the network relay, to this computer only. */
export class DemoServer {
  private readonly token = randomBytes(24).toString("base64url");
  private readonly relay: RelayEndpoint | null;
  private readonly server: Server;

  private constructor(private readonly site: DemoSite) {
    this.relay = site.options.network ? new RelayEndpoint(site.options) : null;
    this.server = createServer((request, response) => {
      this.answer(request, response).catch(() => response.destroy());
    });
    this.server.on("upgrade", (request, socket, head) => this.upgrade(request, socket, head));
  }

  /** Listens; rejects with an OperatorError if the port is not to be had. */
  static start(site: DemoSite): Promise<DemoServer> {
    const demo = new DemoServer(site);
    const { port } = site.options;
    return new Promise((resolve, reject) => {
      demo.server.once("error", (error: NodeJS.ErrnoException) => {
        const reason = REASONS[error.code ?? ""] ?? error.message;
        reject(new OperatorError("port-not-available", `cannot serve on port ${port}: ${reason}`, { cause: error }));
      });
      demo.server.listen({ host: HOST, port }, () => resolve(demo));
    });
  }

  /** Where the page is. */
  get address(): string {
    return `http://${HOST}:${this.port}/`;
  }

  close(): void {
    this.relay?.close();
    this.server.close();
    this.server.closeAllConnections();
  }

  private get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Pages of other names that lead to this computer (DNS rebinding) are not ours. */
  private isOwnHost({ headers }: IncomingMessage): boolean {
    return headers.host === `${HOST}:${this.port}` || headers.host === `localhost:${this.port}`;
  }

  private target({ url }: IncomingMessage): URL | null {
    return URL.parse(url ?? "/", this.address);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const say = (status: number, text: string): void => {
      response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${text}\n`);
    };
    if (!this.isOwnHost(request)) return say(421, `this server is ${this.address}`);
    if (request.method !== "GET" && request.method !== "HEAD") return say(405, "only GET and HEAD");
    const pathname = this.target(request)?.pathname ?? "";
    const send = (type: string, text: string): void => {
      response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end(text);
    };
    if (pathname === "/") return send("text/html; charset=utf-8", this.site.page.replace(TOKEN_PLACE, this.token));
    if (pathname === CATALOGUE_PATH) return send("application/json", JSON.stringify(this.catalogue()));
    const path = this.site.files.get(pathname);
    if (path === undefined) return say(404, "there is nothing here");
    return serveFile(request, response, pathname, path);
  }

  private catalogue(): Catalogue {
    const { machines, options } = this.site;
    return {
      machines,
      modules: { helpers: "/engine/helpers.wasm", interpreter: "/engine/interpreter.wasm" },
      version: this.site.version,
      network: this.relay === null ? null : { relay: RELAY_PATH, hostLoopback: options.hostLoopback },
    };
  }

  /** Lets only our own page to the relay: it has the token, and browsers say which origin a script is from. */
  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    const target = this.target(request);
    const { origin } = request.headers;
    const own = origin === `http://${request.headers.host}` && this.isOwnHost(request);
    const token = target?.searchParams.get("token") ?? "";
    if (this.relay === null || target?.pathname !== RELAY_PATH || !own || !this.isToken(token))
      return void socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    this.relay.upgrade(request, socket, head);
  }

  private isToken(text: string): boolean {
    const given = Buffer.from(text);
    const wanted = Buffer.from(this.token);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }
}
