// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import type * as http from "node:http";
import type * as https from "node:https";
import { OperatorError } from "@isola/base";

/** How to reach the network: what apt's configuration or the environment says. Empty strings mean no proxy. */
export interface NetworkSettings {
  readonly httpProxy?: string;
  readonly httpsProxy?: string;
  readonly noProxy?: string;
  /** A PEM file with further certification authorities. */
  readonly caFile?: string;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: http.IncomingMessage;
  /** Where the answer came from, after redirections. */
  readonly url: string;
}

/** A connection failed or broke: worth another try. */
export class TransportError extends Error {
  override readonly name = "TransportError";
}

const MAX_REDIRECTS = 5;
/** A connection on which nothing moves for so long is given up (milliseconds). */
const IDLE_TIMEOUT = 30_000;

/** The settings of the environment, in the spelling that curl and most tools use. */
export function networkFromEnvironment(env: NodeJS.ProcessEnv): NetworkSettings {
  const pick = (...names: string[]): string | undefined => names.map((name) => env[name]).find((value) => value);
  const httpProxy = pick("http_proxy", "HTTP_PROXY");
  const httpsProxy = pick("https_proxy", "HTTPS_PROXY");
  const noProxy = pick("no_proxy", "NO_PROXY");
  const caFile = pick("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS");
  return {
    ...(httpProxy ? { httpProxy } : {}),
    ...(httpsProxy ? { httpsProxy } : {}),
    ...(noProxy ? { noProxy } : {}),
    ...(caFile ? { caFile } : {}),
  };
}

function authorities(caFile: string | undefined): string[] {
  const { getCACertificates } = process.getBuiltinModule("node:tls");
  const all = [...getCACertificates("default"), ...getCACertificates("system")];
  if (caFile) {
    try {
      all.push(readFileSync(caFile, "utf8"));
    } catch (cause) {
      throw new OperatorError("CA_FILE_UNREADABLE", `cannot read the CA file ${caFile}: check SSL_CERT_FILE`, {
        cause,
      });
    }
  }
  return [...new Set(all)];
}

// Loaded with the first client only: most starts of the program download nothing, and these take 60 ms.
const nodeHttp = (): typeof http => process.getBuiltinModule("node:http");
const nodeHttps = (): typeof https => process.getBuiltinModule("node:https");

/** GET over HTTP and HTTPS with keep-alive, proxies, the system's authorities and redirections. */
export class HttpClient {
  private readonly plain: http.Agent;
  private secure: https.Agent | undefined;

  constructor(private readonly settings: NetworkSettings) {
    this.plain = new (nodeHttp().Agent)({ keepAlive: true, maxSockets: 8, proxyEnv: this.proxyEnv() });
  }

  /** Starts a GET. Resolves with the head of the answer; the caller reads or destroys `body`. */
  async get(url: string, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<HttpResponse> {
    let target = url;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const response = await this.request(target, headers, signal);
      const location = response.headers.location;
      const status = response.statusCode ?? 0;
      if (status < 300 || status > 399 || status === 304 || location === undefined) {
        return { status, headers: response.headers, body: response, url: target };
      }
      response.destroy();
      const next = new URL(location, target);
      if (target.startsWith("https:") && next.protocol !== "https:") {
        throw new OperatorError("MIRROR_BROKEN", `${target} redirects from https to ${next.protocol}//: refused`);
      }
      target = next.href;
    }
    throw new OperatorError("MIRROR_BROKEN", `${url} redirects more than ${MAX_REDIRECTS} times`);
  }

  /** Closes idle connections. */
  close(): void {
    this.plain.destroy();
    this.secure?.destroy();
  }

  private proxyEnv(): NodeJS.ProcessEnv {
    const { httpProxy, httpsProxy, noProxy } = this.settings;
    return { HTTP_PROXY: httpProxy ?? "", HTTPS_PROXY: httpsProxy ?? "", NO_PROXY: noProxy ?? "" };
  }

  private request(
    url: string,
    headers: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<http.IncomingMessage> {
    const secure = url.startsWith("https:");
    if (!secure && !url.startsWith("http:")) {
      throw new OperatorError("MIRROR_BROKEN", `${url}: only http and https archives can be read`);
    }
    if (secure) {
      this.secure ??= new (nodeHttps().Agent)({
        keepAlive: true,
        maxSockets: 8,
        proxyEnv: this.proxyEnv(),
        ca: authorities(this.settings.caFile),
      });
    }
    const options = { headers: { "user-agent": "isola", ...headers }, ...(signal ? { signal } : {}) };
    return new Promise((resolve, reject) => {
      const request = secure
        ? nodeHttps().get(url, { ...options, agent: this.secure }, resolve)
        : nodeHttp().get(url, { ...options, agent: this.plain }, resolve);
      request.setTimeout(IDLE_TIMEOUT, () => request.destroy(new Error(`no data for ${IDLE_TIMEOUT / 1000} s`)));
      request.on("error", (cause) => {
        if (signal?.aborted) reject(signal.reason as Error);
        else reject(new TransportError(`${new URL(url).host}: ${cause.message || String(cause)}`, { cause }));
      });
    });
  }
}
