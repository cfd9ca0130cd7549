// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import { readAptNetwork, readAptSources } from "../../../packages/images/src/debian/apt-config.js";
import { locateSuites } from "../../../packages/images/src/debian/archive-suites.js";
import { HttpClient, networkFromEnvironment } from "../../../packages/images/src/net/http-client.js";

const ARCHIVE = "/debian/";
/** Of a request, what matters to an archive; of its answer, what matters to a downloader. */
const REQUEST_HEADERS = ["range", "if-modified-since", "if-range"];
const ANSWER_HEADERS = ["content-length", "content-range", "content-type", "last-modified", "accept-ranges", "etag"];

function pick(headers: IncomingMessage["headers"], names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (typeof headers[name] === "string" ? [[name, headers[name]]] : [])),
  );
}

/** Base address of the archive that the system or ISOLA_DEBIAN_MIRROR names. Throws OperatorError without one. */
async function archiveAddress(): Promise<string> {
  const mirror = process.env["ISOLA_DEBIAN_MIRROR"];
  const [main] = locateSuites({
    suites: ["bookworm"],
    component: "main",
    keyring: "",
    aptSources: mirror ? [] : await readAptSources(),
    ...(mirror ? { mirror } : {}),
  });
  return main.archive;
}

/**
 * A web server on this host's loopback interface for guests that install packages: files of ours, and below /debian/ the
 * archive that this host is configured for, with its proxies, so that guests need to know of neither.
 */
export class PackageServer {
  private readonly server: Server;
  private readonly files = new Map<string, Uint8Array>();

  private constructor(
    private readonly archive: string,
    private readonly client: HttpClient,
  ) {
    this.server = createServer((request, response) => {
      this.answer(request, response).catch(() => response.destroy());
    });
  }

  static async open(): Promise<PackageServer> {
    const client = new HttpClient({ ...networkFromEnvironment(process.env), ...(await readAptNetwork()) });
    const opened = new PackageServer(await archiveAddress(), client);
    await new Promise<void>((resolve) => opened.server.listen(0, "127.0.0.1", resolve));
    return opened;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Serves `bytes` at `/name`. */
  add(name: string, bytes: Uint8Array): void {
    this.files.set(`/${name}`, bytes);
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
    this.client.close();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "/";
    const file = this.files.get(path);
    if (file !== undefined) return void response.end(file);
    if (!path.startsWith(ARCHIVE) || request.method !== "GET") return void response.writeHead(404).end();
    const address = `${this.archive}/${path.slice(ARCHIVE.length)}`;
    const { status, headers, body } = await this.client.get(address, pick(request.headers, REQUEST_HEADERS));
    response.writeHead(status, pick(headers, ANSWER_HEADERS));
    await pipeline(body, response);
  }
}
