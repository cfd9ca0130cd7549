// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from "node:timers/promises";
import { OperatorError } from "@isola/base";
import type { RangeResponse, RangeTransport } from "@isola/ports";
import { RangeStore, type RangeStoreOptions } from "@isola/storage";

const TIMEOUT_MS = 30_000;

export interface UrlStoreOptions extends RangeStoreOptions {
  /** ms until a request that does not get on is given up; default 30 s. */
  readonly timeout?: number;
}

/** Opens a file on a web server, to be read by ranges. Throws OperatorError if that is not possible. */
export async function openUrlStore(url: string, options: UrlStoreOptions = {}): Promise<RangeStore> {
  return RangeStore.open(new FetchTransport(url, options.timeout ?? TIMEOUT_MS), options);
}

/** Node's `fetch`. A name and password in the address are sent as basic authentication. */
class FetchTransport implements RangeTransport {
  readonly name: string;
  private readonly address: URL;
  private readonly headers: Record<string, string> = {
    // Ranges count bytes of the file, not of a compressed form of it.
    "accept-encoding": "identity",
  };
  private readonly closing = new AbortController();

  constructor(
    url: string,
    private readonly timeout: number,
  ) {
    this.address = parseUrl(url);
    const { username, password } = this.address;
    if (username !== "" || password !== "") {
      const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
      this.headers["authorization"] = `Basic ${Buffer.from(user).toString("base64")}`;
      this.address.username = "";
      this.address.password = "";
    }
    this.name = this.address.href;
  }

  get closed(): boolean {
    return this.closing.signal.aborted;
  }

  async request(offset: number, length: number, ifMatch: string | null): Promise<RangeResponse> {
    const response = await fetch(this.address, {
      headers: {
        ...this.headers,
        range: `bytes=${offset}-${offset + length - 1}`,
        ...(ifMatch === null ? {} : { "if-match": ifMatch }),
      },
      signal: AbortSignal.any([AbortSignal.timeout(this.timeout), this.closing.signal]),
    });
    const { body } = response;
    return {
      status: response.status,
      header: (name) => response.headers.get(name),
      body: body ?? nothing(),
      cancel: async () => body?.cancel(),
    };
  }

  pause(delay: number): Promise<void> {
    return sleep(delay, undefined, { signal: this.closing.signal });
  }

  close(): void {
    this.closing.abort();
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

function parseUrl(text: string): URL {
  try {
    return new URL(text);
  } catch (cause) {
    throw new OperatorError("http-error", `"${text}" is no address`, { cause });
  }
}
